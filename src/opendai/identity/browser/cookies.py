"""The cookies that identify a browser. Each belongs to one realm, and requests of other sites do not carry it."""

from fastapi import Request, Response

from opendai.identity.realms import Realm

SESSION = "OPENDAI_SESSION"
FORM = "OPENDAI_FORM"
TRIAL = "OPENDAI_TRIAL"


def find_cookie(request: Request, name: str) -> str | None:
    """The cookie of this name, if it has the form of ours."""
    value = request.cookies.get(name, "")
    return value if len(value) == 43 and value.isascii() else None


def give_cookie(response: Response, realm: Realm, name: str, value: str, *, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=realm.path,
        secure=realm.is_secure,
        httponly=True,
        samesite="lax",
    )
