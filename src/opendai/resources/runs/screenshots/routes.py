"""Screenshots under `/ai`: sent as MessagePack, served by a short-lived address."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from opendai.auth.callers import Reporter, User
from opendai.parts import Parts, PartsDep, repository
from opendai.resources.runs.screenshots.pictures import ENDINGS
from opendai.resources.runs.screenshots.receiving import receive_screenshot
from opendai.resources.runs.screenshots.repository import ScreenshotRepository, StoredPicture
from opendai.resources.runs.screenshots.schemas import ReceivedOut, ScreenshotsOut, screenshots_out
from opendai.wire.inputs import Id
from opendai.wire.routing import Router

Screenshots = Annotated[ScreenshotRepository, repository(ScreenshotRepository)]
router = Router(tags=["Screenshots"])
_LARGEST_BODY = 16 << 20
_BODY = {
    "requestBody": {
        "required": True,
        "description": "A MessagePack map; docs/agents.md lists its keys.",
        "content": {"application/msgpack": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/screenshots",
    status_code=202,
    openapi_extra=_BODY,
    max_body_size=_LARGEST_BODY,
    responses={
        404: {"description": "There is no such run."},
        409: {"description": "The attempt has ended, or the screenshot belongs to another run."},
    },
)
async def create_screenshot(caller: Reporter, parts: PartsDep, request: Request) -> ReceivedOut:
    """Add a picture to a run. A second picture with the same `artifact_id` is ignored."""
    body = await request.body()
    # One trip to a thread of the store. The store may hang, and no other request waits for these threads.
    artifact_id = await parts.store_threads.run(partial(receive_screenshot, parts, caller, body))
    return ReceivedOut(artifactid=artifact_id)


@router.get("/runs/{id}/screenshots")
def list_screenshots(caller: User, screenshots: Screenshots, id: Id) -> ScreenshotsOut:
    """The descriptions of a run's screenshots, in the order of their arrival."""
    return screenshots_out(*screenshots.search(id, caller))


@router.get("/screenshots/{artifact_id}", status_code=303, response_class=RedirectResponse)
def get_screenshot(caller: User, screenshots: Screenshots, parts: PartsDep, artifact_id: UUID) -> Response:
    """Redirect to a short-lived address that serves the picture."""
    return _redirect(parts, screenshots.get_picture(artifact_id, caller), download_as=None)


@router.get("/screenshots/{artifact_id}/download", status_code=303, response_class=RedirectResponse)
def download_screenshot(
    caller: User, screenshots: Screenshots, parts: PartsDep, artifact_id: UUID
) -> Response:
    """Redirect to a short-lived address that serves the picture as a file to save."""
    picture = screenshots.get_picture(artifact_id, caller)
    file_name = f"screenshot-{artifact_id}.{ENDINGS[picture.content_type]}"
    return _redirect(parts, picture, download_as=file_name)


def _redirect(parts: Parts, picture: StoredPicture, *, download_as: str | None) -> Response:
    url = parts.store.presigned_url(
        picture.object_key,
        expires_in=parts.settings.file_url_seconds,
        content_type=picture.content_type,
        download_as=download_as,
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(url, 303, headers=headers)
