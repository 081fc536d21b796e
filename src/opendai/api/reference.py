"""The page that shows people a family's operations: plain HTML that needs no script and no other host."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

Document = Mapping[str, Any]

# Nothing on the page comes from elsewhere, and nothing runs; its own style is all that is allowed.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid; border-radius: .25rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
caption { text-align: left; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid; }
summary { cursor: pointer; padding: .25rem 0; }
section { margin-top: 2rem; }
a:focus-visible, summary:focus-visible { outline: 3px solid; outline-offset: 2px; }
"""


def render(document: Document, prefix: str) -> str:
    """The page of an OpenAPI document; `prefix` is where the family is mounted."""
    title = escape(document["info"]["title"])
    families = _by_tag(document)
    contents = "".join(f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a></li>' for tag in families)
    sections = "".join(
        f'<section id="{_anchor(tag)}" aria-labelledby="{_anchor(tag)}-title">'
        f'<h2 id="{_anchor(tag)}-title">{escape(tag)}</h2>'
        + "".join(_operation(document, prefix, *entry) for entry in entries)
        + "</section>"
        for tag, entries in families.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{title}</h1><p>Version {escape(document['info']['version'])}. "
        f'For programs: <a href="{escape(prefix)}/openapi.json">openapi.json</a>.</p></header>'
        f'<nav aria-label="Resources"><ul>{contents}</ul></nav><main>{sections}</main></body></html>'
    )


def _by_tag(document: Document) -> dict[str, list[tuple[str, str, Document]]]:
    found: dict[str, list[tuple[str, str, Document]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["Other"])[0]
            found.setdefault(tag, []).append((method.upper(), path, operation))
    return found


def _operation(document: Document, prefix: str, method: str, path: str, operation: Document) -> str:
    token = "A bearer token is needed." if operation.get("security") else "No token is needed."
    return (
        f'<details id="{escape(operation["operationId"])}"><summary>'
        f"<code>{method} {escape(prefix + path)}</code> {escape(operation.get('summary', ''))}</summary>"
        f"<p>{escape(operation.get('description', ''))} {token}</p>"
        + _parameters(operation)
        + _request(document, operation)
        + _answers(document, operation)
        + "</details>"
    )


def _parameters(operation: Document) -> str:
    rows = [
        (
            entry["name"],
            entry["in"],
            _kind(entry.get("schema", {})),
            "yes" if entry.get("required") else "no",
        )
        for entry in operation.get("parameters", [])
    ]
    return _table("Parameters", ("Name", "In", "Type", "Required"), rows)


def _request(document: Document, operation: Document) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return ""
    first = next(iter(content.values()))
    caption = "Body, as " + " or ".join(content)
    return _fields(document, caption, first.get("schema", {})) + _example("A request", first)


def _answers(document: Document, operation: Document) -> str:
    rows = [(status, answer["description"]) for status, answer in operation["responses"].items()]
    parts = [_table("Answers", ("Status", "Meaning"), rows)]
    for status, answer in operation["responses"].items():
        body = answer.get("content", {}).get("application/json")
        if int(status) < 400 and body is not None:
            parts += [
                _fields(document, f"Fields of {status}", body.get("schema", {})),
                _example("An answer", body),
            ]
    return "".join(parts)


def _fields(document: Document, caption: str, schema: Document) -> str:
    return _table(
        caption, ("Field", "Type", "Always there"), list(_rows(document, schema, prefix="", seen=()))
    )


def _rows(
    document: Document, schema: Document, *, prefix: str, seen: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """A row for each field, nested ones after their parent as `parent.child` or `parent[].child`."""
    name = _name(schema)
    if name in seen:
        return
    resolved = document["components"]["schemas"][name] if name else schema
    seen = (*seen, name) if name else seen
    for choice in resolved.get("anyOf", []):
        yield from _rows(document, choice, prefix=prefix, seen=seen)
    if "items" in resolved:
        yield from _rows(document, resolved["items"], prefix=f"{prefix.removesuffix('.')}[].", seen=seen)
    for field, kind in resolved.get("properties", {}).items():
        always = "yes" if field in resolved.get("required", []) else "no"
        yield f"{prefix}{field}", _kind(kind), always
        yield from _rows(document, kind, prefix=f"{prefix}{field}.", seen=seen)


def _kind(schema: Document) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return _name(schema) or schema.get("format") or schema.get("type") or "any"


def _name(schema: Document) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _table(caption: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row"><code>{escape(row[0])}</code></th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _example(caption: str, content: Document) -> str:
    if "example" not in content:
        return ""
    text = json.dumps(content["example"], indent=2, ensure_ascii=False)
    return f"<p>{caption}:</p><pre><code>{escape(text)}</code></pre>"


def _anchor(tag: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")
