"""Two pages by which Keycloak's adapter learns whether a browser keeps a cookie of this server in a frame."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from opendai.identity.browser import cookies, pages
from opendai.identity.realms import RealmDep
from opendai.identity.requests import ENDPOINTS
from opendai.wire.routing import Router

_TELL = 'parent.postMessage(document.body.dataset.answer, "*");'
_TRIAL = "a-browser-that-keeps-this-will-keep-a-session"

router = Router(tags=["OpenID Connect"])


@router.get(
    f"{ENDPOINTS}/3p-cookies/step1.html",
    status_code=303,
    response_class=Response,
    responses={303: {"description": "To the second step, with a cookie."}},
)
async def try_cookie(realm: RealmDep) -> Response:
    """Set a cookie like that of a session; the second step shows whether the browser sends it from a frame."""
    response = Response(status_code=303, headers={"Location": "step2.html", "Cache-Control": "no-store"})
    cookies.give_cookie(response, realm, cookies.TRIAL, _TRIAL, seconds=60)
    return response


@router.get(f"{ENDPOINTS}/3p-cookies/step2.html", response_class=HTMLResponse)
async def tell_cookie(request: Request, realm: RealmDep) -> Response:
    """A page for a frame. It sends "supported" or "unsupported" to the page around it."""
    is_kept = request.cookies.get(cookies.TRIAL) == _TRIAL
    return pages.embed(_TELL, answer="supported" if is_kept else "unsupported")
