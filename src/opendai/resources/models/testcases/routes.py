"""/testcases and /models/{model_id}/testcases."""

from typing import Annotated, Any

from opendai.auth.callers import User
from opendai.parts import repository
from opendai.resources.models.testcases.repository import TestCaseRepository
from opendai.resources.models.testcases.schemas import TestCaseIn, TestCaseOut, TestCasePatch
from opendai.wire.inputs import Id, Limit, Offset, Search
from opendai.wire.routing import Router

TestCases = Annotated[TestCaseRepository, repository(TestCaseRepository)]
router = Router(tags=["Test cases"])


@router.post("/models/{model_id}/testcases")
def create_testcase(caller: User, testcases: TestCases, model_id: Id, given: TestCaseIn) -> TestCaseOut:
    """Add a test case to a model and its document. Its text names states and actions of the model."""
    return TestCaseOut.model_validate(testcases.add(model_id, given, caller))


@router.get("/models/{model_id}/testcases")
def list_model_testcases(caller: User, testcases: TestCases, model_id: Id) -> list[TestCaseOut]:
    """All test cases of a model, by id."""
    return [TestCaseOut.model_validate(case) for case in testcases.of_model(model_id, caller)]


@router.get("/models/{model_id}/testcases/{testcase_id}")
def get_testcase(caller: User, testcases: TestCases, model_id: Id, testcase_id: Id) -> TestCaseOut:
    """One test case."""
    return TestCaseOut.model_validate(testcases.get(model_id, testcase_id, caller))


@router.put("/models/{model_id}/testcases/{testcase_id}")
def update_testcase(
    caller: User, testcases: TestCases, model_id: Id, testcase_id: Id, given: TestCasePatch
) -> TestCaseOut:
    """Change a test case and its entry in the document; fields that are left out stay as they are."""
    return TestCaseOut.model_validate(testcases.change(model_id, testcase_id, given, caller))


@router.delete("/models/{model_id}/testcases/{testcase_id}")
def delete_testcase(caller: User, testcases: TestCases, model_id: Id, testcase_id: Id) -> dict[str, Any]:
    """Delete a test case and its entry in the document. Its runs stay."""
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
    found = testcases.search(
        caller, model_uuid=modelid, words=searchText, sort=sort, offset=offset, limit=limit
    )
    return [TestCaseOut.model_validate(case) for case in found]
