"""The payload for an AI server: a JSON text with placeholders inside its strings.

There is no template engine, because it would run expressions from an administrator or from a requirement.
"""

import json
import re
from typing import Any

from opendai.errors import PreconditionFailed

_PLACEHOLDER = re.compile(r"\{\{ *(requirement|model) *\}\}")
# JSON gives it no meaning: outside of a string, or behind a backslash, it makes a text invalid. Unicode assigns no
# character to it, so that no template needs it.
_FILLER = "\ufdd0"


def fill(template: str, *, requirement: str, model: str = "") -> str:
    """The payload: each placeholder replaced by its text, whose braces are left alone.

    No text can change the structure of the JSON, because each placeholder must be inside a string that is not a
    name. PreconditionFailed names the place where the template breaks this rule.
    """
    _check(template)
    texts = {"requirement": requirement, "model": model}
    return _PLACEHOLDER.sub(lambda found: json.dumps(texts[found[1]])[1:-1], template)


def _check(template: str) -> None:
    # The filler is as long as the placeholder, so that the position of a fault is the one in the template.
    shown = _PLACEHOLDER.sub(lambda found: _FILLER * len(found[0]), template.replace(_FILLER, "?"))
    try:
        json.loads(shown, object_pairs_hook=_refuse_placeholders, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PreconditionFailed(f"The generated payload is invalid JSON: {error.msg} at {place}.") from error
    except ValueError as error:
        raise PreconditionFailed(f"The generated payload is invalid JSON: {error}.") from error
    except RecursionError as error:
        raise PreconditionFailed("The generated payload is invalid JSON: it is nested too deeply.") from error


def _refuse_placeholders(pairs: list[tuple[str, Any]]) -> None:
    if any(_FILLER in name for name, _ in pairs):
        raise ValueError("a placeholder stands in a name and not in a value")


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")
