"""Objects of the store whose row is gone."""

import threading

import pytest
from sqlalchemy import insert, select

from opendai import tables
from opendai.api.server import Server
from opendai.database import Database
from opendai.errors import Unavailable
from opendai.tables.columns import now
from opendai.worker.objects import sweep_objects
from tests.inprocess import TestClient


def written_down(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(tables.DoomedObject.object_key).order_by(tables.DoomedObject.id)))


def test_an_object_that_cannot_be_deleted_does_not_keep_the_others(
    app: Server, client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = app.state.parts.store
    keys = [f"screenshots/00/{number}.png" for number in range(3)]
    for key in keys:
        store.put(key, b"picture", content_type="image/png")
    with database.writing() as session:
        session.execute(
            insert(tables.DoomedObject), [{"object_key": key, "created_at": now()} for key in keys]
        )
    delete = store.delete

    def delete_some(key: str) -> None:
        if key == keys[0]:
            raise Unavailable("The store does not let go of it.")
        delete(key)

    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", delete_some)
        sweep_objects(app.state.parts, threading.Event())
    assert list(store.keys("screenshots/00/")) == [keys[0]]
    assert written_down(database) == [keys[0]]
    sweep_objects(app.state.parts, threading.Event())
    assert (list(store.keys("screenshots/00/")), written_down(database)) == ([], [])
