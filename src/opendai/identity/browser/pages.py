"""The pages for people who log in or out, and the invisible pages that programs embed.

Plain HTML. The policy of each page allows its own style, its form, and in an embedded page its script.
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from importlib import resources

from fastapi.responses import HTMLResponse, Response

_STYLE = resources.files("opendai.identity.browser").joinpath("pages.css").read_text(encoding="utf-8")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def show(
    title: str,
    body: str,
    *,
    status: int = 200,
    form_targets: str = "'none'",
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page for a person; `body` is HTML. Its form may be sent to `form_targets` only."""
    policy = (
        f"default-src 'none'; style-src {_hash(_STYLE)}; form-action {form_targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - opendai</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    framing = {"Content-Security-Policy": policy, "X-Frame-Options": "DENY"}
    return HTMLResponse(html, status, headers={**_HEADERS, **framing, **(headers or {})})


def show_sentence(title: str, sentence: str, *, status: int = 200) -> HTMLResponse:
    """A page with one sentence."""
    return show(title, f"<p>{escape(sentence)}</p>", status=status)


def send_to(location: str) -> Response:
    """A redirect that the browser follows by GET (303), so that it does not send a form again."""
    headers = {"Location": location, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(status_code=303, headers=headers)


def alert(sentence: str) -> str:
    """The problem as HTML that screen readers announce."""
    return f'<p role="alert" id="problem">{escape(sentence)}</p>' if sentence else ""


def hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def embed(script: str, *, answer: str = "") -> HTMLResponse:
    """A page with nothing to see. Any page may embed it and talk to its script."""
    policy = f"default-src 'none'; script-src {_hash(script)}; connect-src 'self'; base-uri 'none'; frame-ancestors *"
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>opendai</title></head>'
        f'<body data-answer="{escape(answer)}"><script>{script}</script></body></html>'
    )
    return HTMLResponse(html, headers={**_HEADERS, "Content-Security-Policy": policy})


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
