"""Keeps the rows of test cases and the `testcases` of a model's document in step, both ways.

The model must be locked: a row and its entry in the document are found by the name of the test case.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.engine import Model, parse_model
from opendai.engine.formats.rewriting import add_test_case, change_test_case, remove_test_case
from opendai.errors import Fault, Invalid
from opendai.tables.columns import now

_KEYS = {
    "name": "testcaseName",
    "tags": "testcaseTags",
    "description": "testcaseDescription",
    "origin": "testcaseOrigin",
    "external_id": "testcaseExternalID",
    "text": "testcase",
}
_LONGEST_ORIGIN = 255
# Both databases limit how many values a statement takes, SQLite to 32,766.
_AT_ONCE = 1000


def follow_document(session: Session, model: tables.Model, document: Model) -> None:
    """Make the rows equal to a document and keep the ids of those that stay; Invalid if it contradicts itself."""
    _check_document(document)
    of_model = select(tables.TestCase).where(tables.TestCase.model_id == model.id)
    rows = {case.name: case for case in session.scalars(of_model)}
    stays = {stored.name for stored in document.test_cases}
    remove_rows(session, [case.id for name, case in rows.items() if name not in stays])
    for stored in document.test_cases:
        case = rows.get(stored.name)
        if case is None:
            case = tables.TestCase(model_id=model.id, name=stored.name)
            session.add(case)
        case.text = stored.text
        case.tags = stored.tags
        case.description = stored.description
        case.origin = stored.origin
        case.external_id = stored.external_id
    session.flush()


def remove_rows(session: Session, case_ids: list[int]) -> None:
    """Delete test cases. Their runs stay, and keep the names and texts."""
    run, case = tables.Run, tables.TestCase
    for first in range(0, len(case_ids), _AT_ONCE):
        some = case_ids[first : first + _AT_ONCE]
        # A run that ends locks itself, then its test case; the other order could block both.
        session.execute(update(run).where(run.test_case_id.in_(some)).values(test_case_id=None))
        session.execute(delete(case).where(case.id.in_(some)))


def add_to_document(session: Session, model: tables.Model, case: tables.TestCase) -> Model:
    """Write a new row into the document; return the new document."""
    entry: dict[str, Any] = {key: getattr(case, column) for column, key in _KEYS.items()}
    entry |= {"tests": "", "fails": "", "testIds": "", "id": case.id}
    return _rewrite(session, model, lambda text: add_test_case(text, entry))


def change_in_document(session: Session, model: tables.Model, name: str, changed: Mapping[str, str]) -> Model:
    """Write changed columns of the row of that name into the document; return the new document."""
    values = {_KEYS[column]: value for column, value in changed.items()}
    return _rewrite(session, model, lambda text: change_test_case(text, name, values))


def remove_from_document(session: Session, model: tables.Model, name: str) -> None:
    _rewrite(session, model, lambda text: remove_test_case(text, name))


def _rewrite(session: Session, model: tables.Model, change: Callable[[str], str]) -> Model:
    # In place, without a new version: the graph stays, and so does the coverage of its runs.
    version = tables.ModelVersion
    is_newest = (version.model_id == model.id) & (version.number == model.version_number)
    text = change(session.scalars(select(version.document).where(is_newest)).one())
    document = parse_model(text)  # Refuses a document that has grown over the limit.
    session.execute(update(version).where(is_newest).values(document=text))
    model.updated_at = now()
    return document


def _check_document(document: Model) -> None:
    names: set[str] = set()
    external_ids: set[str] = set()
    for position, stored in enumerate(document.test_cases):
        place = f"modeljson.testcases[{position}]"
        if stored.name in names:
            fault = Fault(f"{place}.testcaseName", "is the name of another test case")
            raise Invalid(f'There are two test cases "{stored.name}".', faults=[fault])
        if stored.external_id in external_ids:
            fault = Fault(f"{place}.testcaseExternalID", "is the external id of another test case")
            raise Invalid(
                f'There are two test cases with the external id "{stored.external_id}".', faults=[fault]
            )
        if len(stored.origin) > _LONGEST_ORIGIN:
            fault = Fault(f"{place}.testcaseOrigin", f"is longer than {_LONGEST_ORIGIN} characters")
            raise Invalid(f'The origin of the test case "{stored.name}" is too long.', faults=[fault])
        names.add(stored.name)
        if stored.external_id:
            external_ids.add(stored.external_id)
