"""The prose of the project: comments, docstrings, sentences in code, and pages."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.rules.sources import ROOT, Source, read_sources

# A name in code that stands in a sentence, so that the words around it stay apart.
_NAME = "`name`"
_TOOLS = re.compile(r"#\s*(noqa|type:|pragma|mypy:|fmt:|!)")


@dataclass(frozen=True)
class Text:
    """A piece of prose and where it begins."""

    path: str
    line: int
    words: str

    @property
    def sentences(self) -> list[str]:
        return [
            part.strip() for part in re.split(r"(?<=[.!?])\s+(?=[A-Z`*\"'(\[])", self.words) if part.strip()
        ]


def texts_of(source: Source) -> Iterator[Text]:
    yield from _comments(source)
    yield from _docstrings(source)
    yield from _sentences_in_code(source)


def _comments(source: Source) -> Iterator[Text]:
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    comments = [
        token for token in tokens if token.type == tokenize.COMMENT and not _TOOLS.match(token.string)
    ]
    # Lines below each other are one comment, unless one stands behind code.
    numbered = enumerate(comments)
    for _, lines in groupby(numbered, lambda entry: (entry[1].start[0] - entry[0], entry[1].start[1])):
        block = [token for _, token in lines]
        words = " ".join(token.string.lstrip("#: ").rstrip() for token in block)
        yield Text(source.path, block[0].start[0], words)


def _docstrings(source: Source) -> Iterator[Text]:
    for node in ast.walk(source.tree):
        match node:
            case ast.Expr(ast.Constant(str(text))):
                for part in re.split(r"\n\s*\n", text):
                    yield Text(source.path, node.lineno, " ".join(part.split()))


def _sentences_in_code(source: Source) -> Iterator[Text]:
    """Every literal that reads as a sentence: messages, help texts, descriptions."""
    inside = {
        id(part) for node in ast.walk(source.tree) if isinstance(node, ast.JoinedStr) for part in node.values
    }
    docstrings = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.JoinedStr | ast.Constant) or id(node) in inside | docstrings:
            continue
        words = _words_of(node)
        if re.match(r"[A-Z`].* .*[.!?]$", words, re.DOTALL):
            yield Text(source.path, node.lineno, " ".join(words.split()))


def _words_of(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else _NAME for part in node.values)


def texts_of_page(path: str, page: str) -> Iterator[Text]:
    """The paragraphs, entries and cells of a page; code is left out."""
    page = re.sub(
        r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), page, flags=re.MULTILINE | re.DOTALL
    )
    page = re.sub(r"`[^`\n]*`", _NAME, page)
    line = 1
    for part in re.split(r"(\n\s*\n|\n(?=\s*(?:[-*#]|\d+\.|\|))|(?<=[^|]) \| )", page):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", part)
        words = " ".join(re.sub(r"^\s*(?:[-*#>|]+|\d+\.)\s+", "", words.strip()).strip("|* ").split())
        if words:
            yield Text(path, line, words)
        line += part.count("\n")


def every_text() -> Iterator[Text]:
    for source in read_sources("src", "bench", "migrations"):
        yield from texts_of(source)
    for source in read_sources("tests"):
        # The sentences in a test are data: what a person sends, or a message that the code words.
        yield from _comments(source)
        yield from _docstrings(source)
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").rglob("*.md")]
    for page in sorted(pages):
        yield from texts_of_page(_relative(page), page.read_text(encoding="utf-8"))


def _relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()
