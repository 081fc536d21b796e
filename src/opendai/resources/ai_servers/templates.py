"""The payload that an AI server is sent: a JSON text in which placeholders stand inside strings.

No template engine: one would run whatever an administrator, or a requirement, writes into it.
"""

import json
import re
from typing import Any

from opendai.errors import PreconditionFailed

_PLACEHOLDER = re.compile(r"\{\{ *(requirement|model) *\}\}")
# It means nothing to JSON: outside of a string, or behind a backslash, it makes a text invalid. Unicode assigns
# it to no character, so that no template has a use for it.
_FILLER = "\ufdd0"


def fill(template: str, *, requirement: str, model: str = "") -> str:
    """The payload: each placeholder replaced by its text, whose braces are left alone.

    Neither text can change the structure of the JSON, whatever it holds: each placeholder must stand inside a
    string that is no name. PreconditionFailed says where the template is not so.
    """
    _check(template)
    texts = {"requirement": requirement, "model": model}
    return _PLACEHOLDER.sub(lambda found: json.dumps(texts[found[1]])[1:-1], template)


def _check(template: str) -> None:
    # As long as what it stands for, so that the position of a fault is the one in the template.
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
