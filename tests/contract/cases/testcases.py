"""Test cases."""

from typing import Any

from tests.contract.registry import error, success
from tests.contract.world import UNKNOWN_ID, Caller, World

PUBLISHED = {
    "testcaseName": "Fill the basket",
    "testcase": 'State "Basket"',
    "testcaseTags": "smoke,basket",
    "testcaseDescription": "Reach the basket",
    "testcaseOrigin": "user",
    "testcaseExternalID": "SHOP-1",
}


def _cases(world: World) -> str:
    return f"/ai/models/{world.model['id']}/testcases"


@success("POST /ai/models/{model_id}/testcases")
def create_test_case(world: World, caller: Caller) -> Any:
    return caller.post(_cases(world), json=PUBLISHED)


@error("POST /ai/models/{model_id}/testcases", 400)
def create_test_case_twice(world: World, caller: Caller) -> Any:
    return caller.post(_cases(world), json={**PUBLISHED, "testcaseName": world.test_case["testcaseName"]})


@error("POST /ai/models/{model_id}/testcases", 404)
def create_test_case_of_a_model_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.post(f"/ai/models/{UNKNOWN_ID}/testcases", json=PUBLISHED)


@success("GET /ai/testcases")
def list_test_cases(world: World, caller: Caller) -> Any:
    query = {
        "modelid": world.model["modeluuid"],
        "searchText": "Pay",
        "sort": "-testcaseName",
        "offset": "0",
        "limit": "10",
    }
    return caller.get("/ai/testcases", params=query)


@error("GET /ai/testcases", 400)
def list_test_cases_by_a_column_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.get("/ai/testcases", params={"sort": "password"})


@success("GET /ai/models/{model_id}/testcases/{testcase_id}")
def get_test_case(world: World, caller: Caller) -> Any:
    return caller.get(f"{_cases(world)}/{world.test_case['id']}")


@success("PUT /ai/models/{model_id}/testcases/{testcase_id}")
def update_test_case(world: World, caller: Caller) -> Any:
    return caller.put(f"{_cases(world)}/{world.test_case['id']}", json=PUBLISHED)


@error("PUT /ai/models/{model_id}/testcases/{testcase_id}", 400)
def update_test_case_to_a_name_that_cannot_be(world: World, caller: Caller) -> Any:
    return caller.put(f"{_cases(world)}/{world.test_case['id']}", json={**PUBLISHED, "testcaseName": "a;b"})


@error("PUT /ai/models/{model_id}/testcases/{testcase_id}", 404)
def update_test_case_that_is_not_there(world: World, caller: Caller) -> Any:
    return caller.put(f"{_cases(world)}/{UNKNOWN_ID}", json=PUBLISHED)


@success("DELETE /ai/models/{model_id}/testcases/{testcase_id}")
def delete_test_case(world: World, caller: Caller) -> Any:
    return caller.delete(f"{_cases(world)}/{world.test_case['id']}")


@success("GET /ai/models/{model_id}/testcases")
def list_test_cases_of_model(world: World, caller: Caller) -> Any:
    return caller.get(_cases(world))
