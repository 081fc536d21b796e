"""The forms of our pages. Only the browser that was shown a form can submit it, and only for half an hour.

One hidden field holds the form's values, signed together with a cookie that the page sets. Another site can make
a browser submit a form, but it has no signature for that browser's cookie.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from opendai.credentials.secrets import SecretKey
from opendai.errors import Invalid
from opendai.identity.browser import cookies
from opendai.identity.realms import Realm

FIELD = "form_state"
LARGEST = 131_072
_SECONDS = 1800
_FORM_KIND = "application/x-www-form-urlencoded"


class FormOutdated(Invalid):
    """A form that is too old, was shown to another browser, or is not ours."""

    def __init__(self) -> None:
        super().__init__("This page is out of date. Go back to the program and try again.")


class PageForm:
    """A form that a page is about to show."""

    def __init__(
        self, request: Request, values: Mapping[str, str], *, purpose: str, secret_key: SecretKey
    ) -> None:
        # Tabs share one cookie: a new one would make the form in the other tab invalid.
        self._cookie = cookies.find_cookie(request, cookies.FORM) or secrets.token_urlsafe(32)
        content = json.dumps([time.time() + _SECONDS, dict(values)], ensure_ascii=False).encode()
        mac = _mac(secret_key, purpose, self._cookie, content)
        self.field = f"{_text(content)}.{_text(mac)}"

    def bind(self, response: Response, realm: Realm) -> None:
        """Tie the form to the browser that gets the response."""
        cookies.give_cookie(response, realm, cookies.FORM, self._cookie, seconds=_SECONDS)


def open_form(
    request: Request, fields: Mapping[str, str], *, purpose: str, secret_key: SecretKey
) -> dict[str, str]:
    """The values in the form; FormOutdated unless this browser was shown it recently."""
    cookie = cookies.find_cookie(request, cookies.FORM)
    encoded, _, signature = fields.get(FIELD, "").partition(".")
    try:
        content, mac = _bytes(encoded), _bytes(signature)
    except (binascii.Error, ValueError) as error:
        raise FormOutdated from error
    if cookie is None:
        raise FormOutdated
    if not hmac.compare_digest(mac, _mac(secret_key, purpose, cookie, content)):
        raise FormOutdated
    ends, values = json.loads(content)
    if ends < time.time():
        raise FormOutdated
    return dict(values)


async def _fields(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith(_FORM_KIND):
        raise Invalid("The body must be application/x-www-form-urlencoded.")
    async with request.form(max_files=0, max_fields=20, max_part_size=LARGEST) as form:
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Invalid("A field is repeated.")
    return fields


FieldsDep = Annotated[dict[str, str], Depends(_fields)]


def describe_page_form(*names: str) -> dict[str, Any]:
    """The OpenAPI description of such a body."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in (FIELD, *names)}}
    return {
        "requestBody": {
            "required": True,
            "content": {_FORM_KIND: {"schema": {**schema, "required": [FIELD]}}},
        }
    }


def _mac(secret_key: SecretKey, purpose: str, cookie: str, content: bytes) -> bytes:
    message = b"\0".join([purpose.encode(), cookie.encode(), content])
    return hmac.digest(secret_key.derive("page forms"), message, hashlib.sha256)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
