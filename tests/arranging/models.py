"""Models as tests create them."""

from typing import Any

from tests.conftest import Person
from tests.inprocess import TestClient


def create_model(
    client: TestClient, person: Person, text: str, *, name: str = "PetClinic", group: str = "shop"
) -> Any:
    response = client.post(
        "/ai/models", headers=person.bearer, json={"name": name, "group": group, "modeljson": text}
    )
    assert response.status_code == 200, response.text
    return response.json()
