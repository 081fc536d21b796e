"""The formats of models: each reads a text into a `Model`, and writes one where it can express it."""

from collections.abc import Callable, Mapping

from opendai.engine.formats import dai
from opendai.engine.model.elements import Model

READERS: Mapping[str, Callable[[str], Model]] = {
    "dai": dai.parse_model,
}
