"""Test cases: ways through a model, kept as rows beside the `testcases` of its document."""

from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field
from sqlalchemy import ColumnElement, String, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.engine import check_goals, parse_test_case
from opendai.errors import Fault, Invalid, NotFound
from opendai.parts import repository
from opendai.resources.models.testcase_documents import (
    add_to_document,
    change_in_document,
    remove_from_document,
    remove_rows,
)
from opendai.resources.models.visible import get_model, hold_model
from opendai.wire.inputs import Id, Input, Limit, Line, Name, Offset, Output, Search, Text
from opendai.wire.routing import Router
from opendai.wire.sorting import sort_by

_FORBIDDEN_IN_NAMES = frozenset('"\\;:{}')
_MOST_RUN_IDS = 100


def _comma_joined(value: object) -> object:
    is_list_of_text = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return ",".join(value) if isinstance(value, list) and is_list_of_text else value


def _newest_first(value: str) -> str:
    # Without an order of their own, which SQLite learnt late, aggregates promise none.
    return ",".join(sorted(value.split(","), key=int, reverse=True)) if value else ""


# Clients send them as one text or as a list.
Tags = Annotated[Text, BeforeValidator(_comma_joined)]
RunIds = Annotated[str, AfterValidator(_newest_first)]


class TestCasePatch(Input):
    """What may change; a field that is left out or null stays as it is.

    The vendor's own client has other names for some fields than its page. Where both are sent, the page's count.
    """

    name: Name | None = Field(None, alias="testcaseName")
    text: Text | None = Field(None, alias="testcase")
    tags: Tags | None = Field(None, validation_alias=AliasChoices("testcaseTags", "tags"))
    description: Text | None = Field(
        None, validation_alias=AliasChoices("testcaseDescription", "description")
    )
    origin: Line | None = Field(None, validation_alias=AliasChoices("testcaseOrigin", "origin"))
    external_id: Line | None = Field(None, alias="testcaseExternalID")


class TestCaseIn(TestCasePatch):
    """A new test case: its name, and its text in the test-case language."""

    name: Name = Field(alias="testcaseName")
    text: Text = Field(alias="testcase")


class TestCaseOut(Output):
    """`tests` and `fails` count its runs that ended; `testIds` are the newest of them, at most 100."""

    testcaseName: str  # noqa: N815 - the published spelling
    testcase: str
    id: int
    tests: str
    fails: str
    testcaseTags: str  # noqa: N815
    testcaseDescription: str  # noqa: N815
    testcaseOrigin: str  # noqa: N815
    testcaseExternalID: str  # noqa: N815
    testIds: RunIds  # noqa: N815
    modelId: str  # noqa: N815
    modelName: str  # noqa: N815


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
    ) -> list[TestCaseOut]:
        case, model = tables.TestCase, tables.Model
        query = _cases().where(caller.sees(model.group_id))
        if model_uuid is not None:
            query = query.where(model.uuid == model_uuid)
        if words:
            columns = (case.name, case.text, case.tags, case.description)
            query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
        query = query.order_by(*sort_by(sort, _SORTABLE, case.id)).offset(offset).limit(limit)
        return [TestCaseOut.model_validate(row) for row in self._session.execute(query)]

    def of_model(self, model_id: int, caller: Caller) -> list[TestCaseOut]:
        model = get_model(self._session, model_id, caller)
        query = _cases().where(tables.TestCase.model_id == model.id).order_by(tables.TestCase.id)
        return [TestCaseOut.model_validate(row) for row in self._session.execute(query)]

    def get(self, model_id: int, case_id: int, caller: Caller) -> TestCaseOut:
        return self._out(get_model(self._session, model_id, caller), case_id)

    def add(self, model_id: int, given: TestCaseIn, caller: Caller) -> TestCaseOut:
        model = hold_model(self._session, model_id, caller)
        values = {column: value or "" for column, value in given.model_dump().items()}
        self._check_free(model, values)
        goals = parse_test_case(given.text)
        case = tables.TestCase(model_id=model.id, **values)
        self._session.add(case)
        self._session.flush()
        check_goals(add_to_document(self._session, model, case), goals)
        return self._out(model, case.id)

    def change(self, model_id: int, case_id: int, given: TestCasePatch, caller: Caller) -> TestCaseOut:
        model = hold_model(self._session, model_id, caller)
        case = self._get(model, case_id)
        # Only what differs is judged: what an older document brought along may be sent back with the rest.
        values = given.model_dump(exclude_none=True)
        changed = {column: value for column, value in values.items() if value != getattr(case, column)}
        if changed:
            self._check_free(model, changed)
            goals = parse_test_case(changed.get("text", ""))
            check_goals(change_in_document(self._session, model, case.name, changed), goals)
            for column, value in changed.items():
                setattr(case, column, value)
            self._session.flush()
        return self._out(model, case_id)

    def remove(self, model_id: int, case_id: int, caller: Caller) -> None:
        model = hold_model(self._session, model_id, caller)
        case = self._get(model, case_id)
        remove_rows(self._session, [case.id])
        remove_from_document(self._session, model, case.name)

    def _get(self, model: tables.Model, case_id: int) -> tables.TestCase:
        case = self._session.get(tables.TestCase, case_id)
        if case is None or case.model_id != model.id:
            raise _missing(model, case_id)
        return case

    def _out(self, model: tables.Model, case_id: int) -> TestCaseOut:
        query = _cases().where(tables.TestCase.id == case_id, tables.TestCase.model_id == model.id)
        row = self._session.execute(query).one_or_none()
        if row is None:
            raise _missing(model, case_id)
        return TestCaseOut.model_validate(row)

    def _check_free(self, model: tables.Model, values: dict[str, str]) -> None:
        """Refuse a name or an external id that cannot be or that another test case of the model has."""
        name, external_id = values.get("name"), values.get("external_id")
        if name is not None:
            if _FORBIDDEN_IN_NAMES & set(name):
                fault = Fault("testcaseName", 'must not contain any of " \\ ; : { }')
                raise Invalid("The name of the test case cannot be.", faults=[fault])
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


def _cases() -> Any:
    case, model = tables.TestCase, tables.Model
    return select(
        case.name.label("testcaseName"),
        case.text.label("testcase"),
        case.id,
        cast(case.runs, String).label("tests"),
        cast(case.fails, String).label("fails"),
        case.tags.label("testcaseTags"),
        case.description.label("testcaseDescription"),
        case.origin.label("testcaseOrigin"),
        case.external_id.label("testcaseExternalID"),
        _run_ids().label("testIds"),
        model.uuid.label("modelId"),
        model.name.label("modelName"),
    ).join(model, model.id == case.model_id)


def _run_ids() -> ColumnElement[str]:
    """The ids of the newest runs of a test case, separated by commas: a look at the end of an index for each."""
    run = tables.Run
    newest = (
        select(run.id)
        .where(run.test_case_id == tables.TestCase.id, run.ended_at.is_not(None))
        .order_by(run.id.desc())
        .limit(_MOST_RUN_IDS)
        .correlate(tables.TestCase)
        .subquery()
    )
    joined = func.aggregate_strings(cast(newest.c.id, String), ",")
    return func.coalesce(select(joined).scalar_subquery(), "")


def _missing(model: tables.Model, case_id: int) -> NotFound:
    return NotFound(f"There is no test case {case_id} of model {model.id}.")


TestCases = Annotated[TestCaseRepository, repository(TestCaseRepository)]
router = Router(tags=["Test cases"])


@router.post("/models/{model_id}/testcases")
def create_testcase(caller: User, testcases: TestCases, model_id: Id, given: TestCaseIn) -> TestCaseOut:
    """Add a test case to a model and its document. Its text names states and actions of the model."""
    return testcases.add(model_id, given, caller)


@router.get("/models/{model_id}/testcases")
def list_model_testcases(caller: User, testcases: TestCases, model_id: Id) -> list[TestCaseOut]:
    """All test cases of a model, by id."""
    return testcases.of_model(model_id, caller)


@router.get("/models/{model_id}/testcases/{testcase_id}")
def get_testcase(caller: User, testcases: TestCases, model_id: Id, testcase_id: Id) -> TestCaseOut:
    """One test case."""
    return testcases.get(model_id, testcase_id, caller)


@router.put("/models/{model_id}/testcases/{testcase_id}")
def update_testcase(
    caller: User, testcases: TestCases, model_id: Id, testcase_id: Id, given: TestCasePatch
) -> TestCaseOut:
    """Change a test case and its entry in the document; fields that are left out stay as they are."""
    return testcases.change(model_id, testcase_id, given, caller)


@router.delete("/models/{model_id}/testcases/{testcase_id}")
def delete_testcase(caller: User, testcases: TestCases, model_id: Id, testcase_id: Id) -> dict[str, Any]:
    """Delete a test case and its entry in the document; what was run of it stays."""
    testcases.remove(model_id, testcase_id, caller)
    return {}


@router.get("/testcases")
def list_testcases(
    caller: User,
    testcases: TestCases,
    modelid: Search | None = None,
    searchText: Search | None = None,  # noqa: N803 - the published spelling
    sort: Search | None = None,
    offset: Offset = 0,
    limit: Limit = 1000,
) -> list[TestCaseOut]:
    """The test cases of the caller's models; `modelid` is a model's UUID."""
    return testcases.search(
        caller, model_uuid=modelid, words=searchText, sort=sort, offset=offset, limit=limit
    )
