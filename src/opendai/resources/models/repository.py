"""Models and their versions. A stored document comes back byte for byte."""

import uuid
from collections.abc import Iterator

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller
from opendai.database import AnyRow
from opendai.errors import Conflict, Fault, Invalid
from opendai.resources.executions.moving import move_history
from opendai.resources.models.agent import hold_agent, unknown_agent
from opendai.resources.models.documents import blank_document, read_document
from opendai.resources.models.schemas import ModelIn, ModelPatch
from opendai.resources.models.testcases.documents import follow_document
from opendai.resources.models.visible import get_model, hold_model, missing_model
from opendai.resources.runs.screenshots.objects import doom_objects
from opendai.tables.columns import now


class ModelRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, model_id: int, caller: Caller) -> AnyRow:
        row = self._session.execute(_MODEL, {"id": model_id}).one_or_none()
        if row is None or not caller.is_in(row.group_id):
            raise missing_model(model_id)
        return row

    def search(self, caller: Caller) -> Iterator[AnyRow]:
        """One row after the other, because each holds a document."""
        query = _MODELS.where(caller.sees(_model.group_id)).order_by(_model.id)
        yield from self._session.execute(query)

    def add(self, given: ModelIn, caller: Caller) -> AnyRow:
        text = given.document if given.document is not None else blank_document(given.name)
        document = read_document(text)
        group_id = self._group_id(given.group_name, caller)
        if given.agent_id is not None and not hold_agent(self._session, given.agent_id):
            raise unknown_agent(given.agent_id)
        model = tables.Model(
            uuid=str(uuid.uuid4()), name=given.name, group_id=group_id, agent_id=given.agent_id
        )
        self._session.add(model)
        self._flush(model)
        self._add_version(model, text)
        follow_document(self._session, model, document)
        return self.get(model.id, caller)

    def change(self, model_id: int, given: ModelPatch, caller: Caller) -> AnyRow:
        # The agent before the model: deleting an agent locks them in this order.
        is_agent_known = given.agent_id is None or hold_agent(self._session, given.agent_id)
        model = hold_model(self._session, model_id, caller)
        # All questions come before the changes: a query would flush a name that may be taken.
        group_id = (
            self._group_id(given.group_name, caller) if given.group_name is not None else model.group_id
        )
        if given.agent_id is not None and not is_agent_known:
            raise unknown_agent(given.agent_id)
        if group_id != model.group_id:
            move_history(self._session, model, group_id)
        model.group_id = group_id
        model.agent_id = model.agent_id if given.agent_id is None else given.agent_id
        model.name = given.name or model.name
        model.updated_at = now()
        self._flush(model)
        if given.document is not None and given.document != self._document(model):
            document = read_document(given.document)
            model.version_number += 1
            self._add_version(model, given.document)
            follow_document(self._session, model, document)
        return self.get(model_id, caller)

    def remove(self, model_id: int, caller: Caller) -> None:
        model = get_model(self._session, model_id, caller)
        doom_objects(self._session, tables.Run.model_id == model.id)
        self._session.execute(delete(tables.Model).where(tables.Model.id == model.id))

    def _document(self, model: tables.Model) -> str | None:
        version = tables.ModelVersion
        return self._session.scalar(
            select(version.document).where(
                version.model_id == model.id, version.number == model.version_number
            )
        )

    def _add_version(self, model: tables.Model, text: str) -> None:
        self._session.add(tables.ModelVersion(model_id=model.id, number=model.version_number, document=text))
        self._session.flush()

    def _group_id(self, name: str, caller: Caller) -> int:
        group_id = self._session.scalar(
            select(tables.Group.id).where(tables.Group.name == name, caller.sees(tables.Group.id))
        )
        if group_id is None:
            raise Invalid(f'There is no group "{name}".', faults=[Fault("group", "is not a group of yours")])
        return group_id

    def _flush(self, model: tables.Model) -> None:
        # Made before: after a failed flush the name of the model is no longer known.
        taken = Conflict(f'There is a model "{model.name}" in this group already.')
        try:
            self._session.flush()
        except IntegrityError as error:
            raise taken from error


# Built once, of bare columns, because a page reads a model at every step.
_models, _versions, _groups = tables.Model.__table__, tables.ModelVersion.__table__, tables.Group.__table__
_model, _version, _group = _models.c, _versions.c, _groups.c
_MODELS = (
    select(
        _model.id,
        _model.uuid,
        _model.name,
        _model.group_id,
        _group.name.label("group_name"),
        _model.agent_id,
        _model.created_at,
        _model.updated_at,
        _version.document,
    )
    .join(_groups, _group.id == _model.group_id)
    .join(_versions, (_version.model_id == _model.id) & (_version.number == _model.version_number))
)
_MODEL = _MODELS.where(_model.id == bindparam("id"))
