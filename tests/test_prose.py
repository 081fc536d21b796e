"""Comments, docstrings, messages, help texts and pages are plain English, by the rules of `tests/rules/prose.py`."""

import pytest

from tests.rules.prose import faults
from tests.rules.sources import Source
from tests.rules.texts import Text, every_text, texts_of, texts_of_page

# Texts that others publish, and the reason why each stays.
PUBLISHED: dict[str, str] = {}


def found_in(words: str) -> list[str]:
    return [fault.partition(":")[0] for fault in faults(Text("x.py", 1, words))]


def test_every_text_is_plain_english():
    found = [
        f"{text.path}:{text.line}: {fault}"
        for text in every_text()
        if text.words not in PUBLISHED
        for fault in faults(text)
    ]
    assert found == []


def test_every_exempt_text_is_there_and_has_a_fault():
    assert PUBLISHED.keys() == {
        text.words for text in every_text() if text.words in PUBLISHED and any(faults(text))
    }


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("What is asked, and by whom.", "begins with 'What'"),
        ("The lease ends. Whoever holds it stops.", "begins with 'Whoever'"),
        ("Of two agents one wins.", "begins with 'Of two'"),
        ("So too for runs.", "begins with 'So too'"),
        ("Also when it is empty.", "begins with 'Also'"),
        ("Else it waits.", "begins with 'Else'"),
        ("Where nothing waits, it sleeps.", "begins with 'Where nothing'"),
        ("That is the price.", "begins with 'That'"),
        ("The name of the test case cannot be.", "an unfinished `cannot be`"),
        ("Fail what was claimed as often as may be.", "`the limit`, not `as … as may be`"),
        ("The call in hand goes on.", "`in use`, not `in hand`"),
        ("Unlock the user of whom too many logins failed.", "`of whom`"),
        ("The run is gone for good.", "`for good`"),
        ("After so many seconds it ends.", "`several` or a number, not `so many`"),
        ("The name, else the id.", "`otherwise`, not `else`"),
        ("The server says which.", "machines do not speak or hear"),
        ("A job looks after the keys.", "machines look after nothing"),
        ("A token brings its key along.", "machines bring nothing along"),
        ("The licence allows it.", "American spelling"),
        ("The run was cancelled.", "American spelling"),
    ],
)
def test_a_fault_is_found(words: str, fault: str):
    assert fault in found_in(words)


@pytest.mark.parametrize(
    "words",
    [
        "What is a model?",
        "Nothing else is stored.",
        "A name that cannot be read is refused.",
        "The status is CANCELLED.",
        "The license ends as soon as the clock says so.",
        "That's it.",
    ],
)
def test_plain_english_has_no_fault(words: str):
    assert found_in(words) == []


def test_texts_are_found_in_code():
    source = Source(
        "x.py",
        '"""A module.\n\nIts second\nparagraph."""\n\n# A comment that\n# goes on.\nx = 1  # Behind code.\n'
        'raise Invalid(f"There is no agent {x}.")\nNAME = "no sentence"\n# noqa: E501\n',
    )
    assert [text.words for text in texts_of(source)] == [
        "A comment that goes on.",
        "Behind code.",
        "A module.",
        "Its second paragraph.",
        "There is no agent `name`.",
    ]


def test_texts_are_found_in_pages():
    page = "# A title\n\nA paragraph\nwith `code` and a [link](x.md).\n\n```\nnot this\n```\n"
    page += "\n- one\n- two\n\n| a | b c |\n"
    assert [text.words for text in texts_of_page("x.md", page)] == [
        "A title",
        "A paragraph with `name` and a link.",
        "one",
        "two",
        "a",
        "b c",
    ]
