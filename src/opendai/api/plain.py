"""Addresses outside the families: the health checks, and the pictures that signed addresses lead to."""

from functools import partial

from fastapi import Request
from fastapi.responses import FileResponse, JSONResponse, Response

from opendai.api.dialect import Family
from opendai.api.refusals import detail, detail_schema
from opendai.errors import Problem
from opendai.parts import PartsDep
from opendai.settings import Settings
from opendai.storage import FileStore
from opendai.wire.routing import Router

router = Router(include_in_schema=False)

_PICTURE_HEADERS = {
    "Cache-Control": "private, max-age=60",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create(settings: Settings) -> Family:
    return Family(
        "opendai",
        [router],
        prefix="",
        body=detail,
        refusal=detail_schema,
        invalid=400,
        max_body_bytes=settings.max_body_bytes,
    )


@router.get("/healthz")
async def get_health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def get_readiness(parts: PartsDep) -> Response:
    """200 if the database and the store can be used, otherwise 503. The answer may be a second old."""
    fault = await parts.readiness.find_fault()
    if fault is None:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "unavailable", "reason": fault}, 503, headers={"Retry-After": "1"})


@router.get("/files/{key:path}")
async def read_file(request: Request, parts: PartsDep, key: str) -> Response:
    """An object of the embedded store, for anyone who holds a signed address."""
    store = parts.store
    if not isinstance(store, FileStore):
        return JSONResponse({"message": "There is nothing at this address."}, 404)
    try:
        grant = store.verify(key, request.query_params)
        path = await parts.store_threads.run(partial(store.path_for_reading, key))
    except Problem as problem:
        return JSONResponse({"message": problem.message}, problem.status)
    headers = {**_PICTURE_HEADERS, "Content-Disposition": grant.disposition}
    return FileResponse(path, media_type=grant.content_type, headers=headers)
