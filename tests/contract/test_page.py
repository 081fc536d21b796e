"""docs/compatibility.md says what is so."""

from opendai.api.server import Server
from tests.contract import page
from tests.contract.deviations import (
    EXTENSIONS,
    NOT_ANSWERED,
    NULLS,
    REMARKS,
    SHAPES,
    UNREAD,
    UNREAD_HERE,
)
from tests.contract.published import operations


def test_the_page_is_up_to_date(app: Server) -> None:
    written = page.FILE.read_text(encoding="utf-8")
    assert written == page.render(app), "run: PYTHONPATH=src python -m tests.contract.page"


def test_the_page_has_a_row_for_each_published_operation() -> None:
    lines = page.FILE.read_text(encoding="utf-8").split("## Everywhere")[0].splitlines()
    rows = [line.split("`")[1] for line in lines if line.startswith("| `")]
    assert rows == list(operations())


def test_the_page_gives_every_reason() -> None:
    written = page.FILE.read_text(encoding="utf-8")
    reasons = [
        *NOT_ANSWERED.values(),
        *NULLS.values(),
        *UNREAD.values(),
        *UNREAD_HERE.values(),
        *REMARKS.values(),
        *EXTENSIONS.values(),
    ]
    published = [why for name, (_, why) in SHAPES.items() if name in operations()]
    for why in [*reasons, *published]:
        assert len(why) > 1
        assert why[1:] in written  # A sentence begins with a capital letter there.
