"""Licenses as tests install them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conftest import Person
from tests.inprocess import TestClient

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
TODAY = datetime.now(UTC).date().isoformat()
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


def install(client: TestClient, admin: Person, number: int, **terms: Any) -> Any:
    body = {"serialnumber": number, "license": json.dumps(terms)}
    response = client.post("/ai/licenses", headers=admin.bearer, json=body)
    assert response.status_code == 200, response.text
    return response.json()
