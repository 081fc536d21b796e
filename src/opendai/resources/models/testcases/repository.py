"""Test cases: ways through a model, kept as rows and in the `testcases` of its document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, String, bindparam, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import AnyRow
from opendai.engine import check_goals, parse_test_case
from opendai.errors import Fault, Invalid, NotFound
from opendai.resources.models.testcases.documents import (
    add_to_document,
    change_in_document,
    remove_from_document,
    remove_rows,
)
from opendai.resources.models.testcases.schemas import TestCaseIn, TestCasePatch
from opendai.resources.models.visible import get_model, hold_model
from opendai.wire.sorting import sort_by

_FORBIDDEN_IN_NAMES = frozenset('"\\;:{}')
_MOST_RUN_IDS = 100


@dataclass(frozen=True, slots=True)
class ModelTestCase:
    """A test case with its model, how many of its runs ended, and the ids of the newest of them, newest first."""

    id: int
    name: str
    text: str
    tags: str
    description: str
    origin: str
    external_id: str
    runs: int
    fails: int
    model_uuid: str
    model_name: str
    run_ids: list[int]


class TestCaseRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def search(
        self,
        caller: Caller,
        *,
        model_uuid: str | None,
        words: str | None,
        sort: str | None,
        offset: int,
        limit: int,
    ) -> list[ModelTestCase]:
        case, model = tables.TestCase, tables.Model
        query = _CASES.where(caller.sees(model.group_id))
        if model_uuid is not None:
            query = query.where(model.uuid == model_uuid)
        if words:
            columns = (case.name, case.text, case.tags, case.description)
            query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
        query = query.order_by(*sort_by(sort, _SORTABLE, case.id)).offset(offset).limit(limit)
        return [_test_case(row) for row in self._session.execute(query)]

    def of_model(self, model_id: int, caller: Caller) -> list[ModelTestCase]:
        model = get_model(self._session, model_id, caller)
        return [_test_case(row) for row in self._session.execute(_OF_MODEL, {"model_id": model.id})]

    def get(self, model_id: int, case_id: int, caller: Caller) -> ModelTestCase:
        model = get_model(self._session, model_id, caller)
        return self._read(model.id, case_id)

    def add(self, model_id: int, given: TestCaseIn, caller: Caller) -> ModelTestCase:
        model = hold_model(self._session, model_id, caller)
        values = {column: value or "" for column, value in given.model_dump().items()}
        self._check_free(model, values)
        goals = parse_test_case(given.text)
        case = tables.TestCase(model_id=model.id, **values)
        self._session.add(case)
        self._session.flush()
        check_goals(add_to_document(self._session, model, case), goals)
        return self._read(model.id, case.id)

    def change(self, model_id: int, case_id: int, given: TestCasePatch, caller: Caller) -> ModelTestCase:
        model = hold_model(self._session, model_id, caller)
        case = self._find(model.id, case_id)
        # Only differences are checked: clients send everything back, and an older document may hold values that
        # are no longer accepted.
        values = given.model_dump(exclude_none=True)
        changed = {column: value for column, value in values.items() if value != getattr(case, column)}
        if changed:
            self._check_free(model, changed)
            goals = parse_test_case(changed.get("text", ""))
            check_goals(change_in_document(self._session, model, case.name, changed), goals)
            for column, value in changed.items():
                setattr(case, column, value)
            self._session.flush()
        return self._read(model.id, case_id)

    def remove(self, model_id: int, case_id: int, caller: Caller) -> None:
        model = hold_model(self._session, model_id, caller)
        case = self._find(model.id, case_id)
        remove_rows(self._session, [case.id])
        remove_from_document(self._session, model, case.name)

    def _find(self, model_id: int, case_id: int) -> tables.TestCase:
        case = self._session.get(tables.TestCase, case_id)
        if case is None or case.model_id != model_id:
            raise _missing(model_id, case_id)
        return case

    def _read(self, model_id: int, case_id: int) -> ModelTestCase:
        row = self._session.execute(_ONE, {"model_id": model_id, "id": case_id}).one_or_none()
        if row is None:
            raise _missing(model_id, case_id)
        return _test_case(row)

    def _check_free(self, model: tables.Model, values: Mapping[str, str]) -> None:
        """Refuse a name that is not allowed, and a name or an external id of another test case of the model."""
        name, external_id = values.get("name"), values.get("external_id")
        if name is not None:
            if _FORBIDDEN_IN_NAMES & set(name):
                fault = Fault("testcaseName", 'must not contain any of " \\ ; : { }')
                raise Invalid("The name of the test case is not allowed.", faults=[fault])
            if self._is_taken(model, tables.TestCase.name, name):
                fault = Fault("testcaseName", "is the name of another test case")
                raise Invalid(f'There is a test case "{name}" already.', faults=[fault])
        if external_id and self._is_taken(model, tables.TestCase.external_id, external_id):
            fault = Fault("testcaseExternalID", "is the external id of another test case")
            raise Invalid(
                f'There is a test case with the external id "{external_id}" already.', faults=[fault]
            )

    def _is_taken(self, model: tables.Model, column: InstrumentedAttribute[str], value: str) -> bool:
        case = tables.TestCase
        query = select(case.id).where(case.model_id == model.id, column == value).limit(1)
        return self._session.scalar(query) is not None


_SORTABLE = {
    "id": tables.TestCase.id,
    "testcaseName": tables.TestCase.name,
    "testcase": tables.TestCase.text,
    "testcaseOrigin": tables.TestCase.origin,
    "testcaseExternalID": tables.TestCase.external_id,
    "modelName": tables.Model.name,
}


def _cases() -> Select[*tuple[Any, ...]]:
    """The fields of `ModelTestCase`, with the ids of the runs as one text."""
    case, model, run = tables.TestCase, tables.Model, tables.Run
    # For each test case a look at the end of an index.
    newest = (
        select(run.id)
        .where(run.test_case_id == case.id, run.ended_at.is_not(None))
        .order_by(run.id.desc())
        .limit(_MOST_RUN_IDS)
        .correlate(case)
        .subquery()
    )
    # PostgreSQL joins only text.
    run_ids = select(func.aggregate_strings(cast(newest.c.id, String), ",")).scalar_subquery()
    return select(
        case.id,
        case.name,
        case.text,
        case.tags,
        case.description,
        case.origin,
        case.external_id,
        case.runs,
        case.fails,
        model.uuid.label("model_uuid"),
        model.name.label("model_name"),
        run_ids.label("run_ids"),
    ).join(model, model.id == case.model_id)


_CASES = _cases()
_OF_MODEL = _CASES.where(tables.TestCase.model_id == bindparam("model_id")).order_by(tables.TestCase.id)
_ONE = _OF_MODEL.where(tables.TestCase.id == bindparam("id"))


def _test_case(row: AnyRow) -> ModelTestCase:
    # Sorted here: before version 3.44 SQLite promises no order within an aggregate.
    run_ids = sorted(map(int, row.run_ids.split(",")), reverse=True) if row.run_ids else []
    return ModelTestCase(**{**row._mapping, "run_ids": run_ids})


def _missing(model_id: int, case_id: int) -> NotFound:
    return NotFound(f"There is no test case {case_id} of model {model_id}.")
