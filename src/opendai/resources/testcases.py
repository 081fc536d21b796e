"""Test cases: ways through a model, kept as rows beside the `testcases` of its document."""

from typing import Annotated, Any

from fastapi import APIRouter
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.database import repository
from opendai.engine import Model
from opendai.errors import Fault, Invalid
from opendai.resources.inputs import Limit, Offset, Output, Search
from opendai.resources.sorting import sort_by


class TestCaseOut(Output):
    testcaseName: str  # noqa: N815 - the published spelling
    testcase: str
    id: int
    tests: str
    fails: str
    testcaseTags: str  # noqa: N815
    testcaseDescription: str  # noqa: N815
    testcaseOrigin: str  # noqa: N815
    testcaseExternalID: str  # noqa: N815
    testIds: str  # noqa: N815
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
        query = select(case, model.uuid, model.name).join(model).where(caller.sees(model.group_id))
        if model_uuid is not None:
            query = query.where(model.uuid == model_uuid)
        if words:
            columns = (case.name, case.text, case.tags, case.description)
            query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
        query = query.order_by(*sort_by(sort, _SORTABLE, case.id)).offset(offset).limit(limit)
        return [_out(row, uuid, name) for row, uuid, name in self._session.execute(query)]


_SORTABLE = {
    "id": tables.TestCase.id,
    "testcaseName": tables.TestCase.name,
    "testcase": tables.TestCase.text,
    "testcaseOrigin": tables.TestCase.origin,
    "testcaseExternalID": tables.TestCase.external_id,
    "modelName": tables.Model.name,
}


def _out(case: tables.TestCase, model_uuid: str, model_name: str) -> TestCaseOut:
    return TestCaseOut(
        testcaseName=case.name,
        testcase=case.text,
        id=case.id,
        tests=str(case.runs),
        fails=str(case.fails),
        testcaseTags=case.tags,
        testcaseDescription=case.description,
        testcaseOrigin=case.origin,
        testcaseExternalID=case.external_id,
        testIds="",
        modelId=model_uuid,
        modelName=model_name,
    )


def follow_document(session: Session, model: tables.Model, document: Model) -> None:
    """Bring the rows of a model's test cases in step with its document, keeping the ids of those that stay."""
    kept = {case.name: case for case in session.scalars(_cases_of(model))}
    seen: set[str] = set()
    for position, stored in enumerate(document.test_cases):
        if stored.name in seen:
            fault = Fault(f"modeljson.testcases[{position}].testcaseName", "is the name of another test case")
            raise Invalid(f'There are two test cases "{stored.name}".', faults=[fault])
        seen.add(stored.name)
        case = kept.pop(stored.name, None)
        if case is None:
            case = tables.TestCase(model_id=model.id, name=stored.name)
            session.add(case)
        case.text = stored.text
        case.tags = stored.tags
        case.description = stored.description
        case.origin = stored.origin
        case.external_id = stored.external_id
    for gone in kept.values():
        session.delete(gone)
    session.flush()


def _cases_of(model: tables.Model) -> Any:
    return select(tables.TestCase).where(tables.TestCase.model_id == model.id)


TestCases = Annotated[TestCaseRepository, repository(TestCaseRepository)]
router = APIRouter(tags=["Test cases"])


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
