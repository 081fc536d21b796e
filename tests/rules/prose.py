"""Openings and phrases that the house style forbids, as far as a pattern finds them."""

import re
from collections.abc import Iterator

from tests.rules.texts import Text

# A sentence begins with the thing that does something.
OPENINGS = re.compile(
    r"(What|Whatever|Whoever|Whom|Whose|Of (?:two|several|many)|So too|Nor|Also|Else|Where nothing|That)\b(?!')"
)
_MACHINE = (
    r"(?:servers?|clients?|agents?|databases?|drivers?|stores?|workers?|pages?|browsers?|programs?|processes"
    r"|process|settings?|files?|tests?|providers?|libraries|library|machines?)"
)
PHRASES = {
    "an unfinished `cannot be`": r"\bcan(?:not|'t) be(?=[.,;:]|$)",
    "`the limit`, not `as … as may be`": r"\bas (?:many|much|often|long|few|little) as may be\b",
    "`in use`, not `in hand`": r"\bin hand\b",
    "`of whom`": r"\bof whom\b",
    "`for good`": r"\bfor good\b(?! (?:reason|measure))",
    "`several` or a number, not `so many`": r"\bso many\b",
    "`otherwise`, not `else`": r"(?<!thing )(?<!body )(?<!one )(?<!where )(?<!who )(?<!what )\belse\b",
    "machines do not speak or hear": rf"\b{_MACHINE}(?: itself| also| still| only)? (?:says?|said|hears?|heard)\b",
    "machines look after nothing": r"\blook(?:s|ed|ing)? after\b",
    "machines bring nothing along": r"\bbr(?:ing|ings|ought|inging)(?: \w+){0,3} along\b",
    "American spelling": (
        r"\b(?:licenc\w+|behaviour\w*|colour\w*|cancelled|favour\w*|honour\w*|centre\w*|neighbour\w*"
        r"|(?:organ|recogn|initial|serial|normal|author|optim|summar|real|util|custom|special|synchron)is(?:e[ds]?|ing|ation)"
        r"|catalogue\w*|spelt|learnt|whilst|amongst|grey|labelled|modelled|travelled|artefact\w*|judgement\w*|fulfils?"
        r"|dialogue\w*|programmes?|defence|offence|practis\w+)\b"
    ),
}
_COMPILED = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in PHRASES.items()}


def faults(text: Text) -> Iterator[str]:
    """Each fault, with the words that have it."""
    for sentence in text.sentences:
        opening = OPENINGS.match(sentence.lstrip("*\"'(`"))
        if opening and not sentence.endswith("?"):
            yield f"begins with {opening[0]!r}: {sentence[:80]}"
    for name, pattern in _COMPILED.items():
        for found in pattern.finditer(text.words):
            if found[0].isupper():
                continue  # A word of the wire, such as CANCELLED.
            start = max(found.start() - 30, 0)
            yield f"{name}: …{text.words[start : found.end() + 20]}…"
