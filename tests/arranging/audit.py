"""The audit events that a test caused."""

import json
from typing import Any

from sqlalchemy import select

from opendai import tables
from opendai.database import Database

AUDIT = "/ai/audit"
CANARY = "canary: nobody may read this"
LICENSE = {"serialnumber": 4711, "license": json.dumps({"users": 50, "expires": "2027-12-31"})}
MAIL = {"serverhost": "mail.example.com", "port": 25, "recipient": "qa@example.com"}


def events(database: Database) -> list[tables.AuditEvent]:
    with database.reading() as session:
        return list(session.scalars(select(tables.AuditEvent).order_by(tables.AuditEvent.id)))


def one_event(database: Database) -> tables.AuditEvent:
    (event,) = events(database)
    return event


def done(response: Any) -> Any:
    assert response.status_code < 300, response.text
    return response.json() if response.content else None
