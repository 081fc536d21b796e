"""What belongs to no family: the health checks, and the pictures that signed addresses lead to."""

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from opendai.errors import Problem
from opendai.parts import parts_of
from opendai.storage import FileStore

router = APIRouter(include_in_schema=False)

_PICTURE_HEADERS = {
    "Cache-Control": "private, max-age=60",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/healthz")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readiness(request: Request) -> Response:
    """The database and the store can be reached, else 503."""
    parts = parts_of(request)
    try:
        parts.database.check()
        parts.store.is_reachable()
    except Problem as problem:
        return JSONResponse(
            {"status": "unavailable", "reason": problem.message}, 503, headers={"Retry-After": "1"}
        )
    return JSONResponse({"status": "ok"})


@router.get("/files/{key:path}")
def read_file(request: Request, key: str) -> Response:
    """An object of the embedded store, for whoever holds a signed address."""
    store = parts_of(request).store
    if not isinstance(store, FileStore):
        return JSONResponse({"message": "There is nothing at this address."}, 404)
    try:
        grant = store.verify(key, request.query_params)
        path = store.path_for_reading(key)
    except Problem as problem:
        return JSONResponse({"message": problem.message}, problem.status)
    headers = {**_PICTURE_HEADERS, "Content-Disposition": grant.disposition}
    return FileResponse(path, media_type=grant.content_type, headers=headers)
