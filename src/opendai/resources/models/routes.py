"""Models of the software under test. The stored document comes back byte for byte."""

import json
import uuid
from typing import Annotated, Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Caller, User
from opendai.engine import Model, parse_model
from opendai.errors import Conflict, Fault, Invalid, NotFound
from opendai.parts import repository
from opendai.resources.executions.moving import move_history
from opendai.resources.models.testcase_documents import follow_document
from opendai.resources.runs.screenshots import doom_objects
from opendai.tables.columns import now
from opendai.wire.inputs import Id, Input, Name, Output, Timestamp, Whole
from opendai.wire.routing import Router

_LONGEST_NAME = 255
# A document of 8 MiB as text inside JSON, with its quotes and line ends escaped.
_LARGEST_BODY = 20 << 20


class ModelIn(Input):
    name: Name
    group: Name
    agent: Whole | None = None
    modeljson: str | None = None


class ModelPatch(Input):
    """What may change; a field that is left out or null stays as it is."""

    name: Name | None = None
    group: Name | None = None
    agent: Whole | None = None
    modeljson: str | None = None


class ModelOut(Output):
    id: int
    modeluuid: str
    name: str
    group: str
    agent: int | None
    created: Timestamp
    updated: Timestamp
    modeljson: str


class ModelRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, model_id: int, caller: Caller) -> ModelOut:
        row = self._session.execute(_models(caller).where(tables.Model.id == model_id)).one_or_none()
        if row is None:
            raise NotFound(f"There is no model {model_id}.")
        return ModelOut.model_validate(row)

    def search(self, caller: Caller) -> list[ModelOut]:
        rows = self._session.execute(_models(caller).order_by(tables.Model.id))
        return [ModelOut.model_validate(row) for row in rows]

    def add(self, given: ModelIn, caller: Caller) -> ModelOut:
        text = given.modeljson if given.modeljson is not None else _blank(given.name)
        document = read_document(text)
        model = tables.Model(
            uuid=str(uuid.uuid4()),
            name=given.name,
            group_id=self._group(given.group, caller),
            agent_id=self._agent(given.agent),
        )
        self._session.add(model)
        self._flush(model)
        self._add_version(model, text)
        follow_document(self._session, model, document)
        return self.get(model.id, caller)

    def change(self, model_id: int, given: ModelPatch, caller: Caller) -> ModelOut:
        model = self._session.scalar(
            select(tables.Model)
            .where(tables.Model.id == model_id, caller.sees(tables.Model.group_id))
            # Those who count a run that has just ended may still point at the row.
            .with_for_update(key_share=True)
        )
        if model is None:
            raise NotFound(f"There is no model {model_id}.")
        # What is looked up comes first: a query would flush a name that may be taken.
        group_id = self._group(given.group, caller) if given.group is not None else model.group_id
        agent_id = self._agent(given.agent) if given.agent is not None else model.agent_id
        if group_id != model.group_id:
            move_history(self._session, model, group_id)
        model.group_id, model.agent_id = group_id, agent_id
        model.name = given.name or model.name
        model.updated_at = now()
        self._flush(model)
        if given.modeljson is not None and given.modeljson != self._text(model):
            document = read_document(given.modeljson)
            model.version_number += 1
            self._add_version(model, given.modeljson)
            follow_document(self._session, model, document)
        return self.get(model_id, caller)

    def remove(self, model_id: int, caller: Caller) -> None:
        model = self._session.scalar(
            select(tables.Model).where(tables.Model.id == model_id, caller.sees(tables.Model.group_id))
        )
        if model is None:
            raise NotFound(f"There is no model {model_id}.")
        doom_objects(self._session, tables.Run.model_id == model.id)
        self._session.execute(delete(tables.Model).where(tables.Model.id == model.id))

    def _text(self, model: tables.Model) -> str | None:
        version = tables.ModelVersion
        return self._session.scalar(
            select(version.modeljson).where(
                version.model_id == model.id, version.number == model.version_number
            )
        )

    def _add_version(self, model: tables.Model, text: str) -> None:
        self._session.add(tables.ModelVersion(model_id=model.id, number=model.version_number, modeljson=text))
        self._session.flush()

    def _group(self, name: str, caller: Caller) -> int:
        group_id = self._session.scalar(
            select(tables.Group.id).where(tables.Group.name == name, caller.sees(tables.Group.id))
        )
        if group_id is None:
            raise Invalid(f'There is no group "{name}".', faults=[Fault("group", "is not a group of yours")])
        return group_id

    def _agent(self, agent_id: int | None) -> int | None:
        if agent_id is not None and self._session.get(tables.Agent, agent_id) is None:
            raise Invalid(
                f"There is no agent {agent_id}.", faults=[Fault("agent", "is not the id of an agent")]
            )
        return agent_id

    def _flush(self, model: tables.Model) -> None:
        taken = Conflict(f'There is a model "{model.name}" in this group already.')
        try:
            self._session.flush()
        except IntegrityError as error:  # A failed flush forgets the model, its name too.
            raise taken from error


def read_document(text: str) -> Model:
    """The model that a text holds; Invalid, with the place, for a text that is not a model or cannot be kept."""
    model = parse_model(text)
    names = [state.name for state in model.states] + [action.name for action in model.actions]
    names += [case.name for case in model.test_cases] + [case.external_id for case in model.test_cases]
    for name in names:
        if len(name) > _LONGEST_NAME:
            raise Invalid(
                f'The name "{name[:40]}…" is longer than {_LONGEST_NAME} characters.',
                faults=[Fault("modeljson", "holds a name that is too long")],
            )
    return model


def _models(caller: Caller) -> Any:
    model, version, group = tables.Model, tables.ModelVersion, tables.Group
    return (
        select(
            model.id,
            model.uuid.label("modeluuid"),
            model.name,
            group.name.label("group"),
            model.agent_id.label("agent"),
            model.created_at.label("created"),
            model.updated_at.label("updated"),
            version.modeljson,
        )
        .join(group, group.id == model.group_id)
        .join(version, (version.model_id == model.id) & (version.number == model.version_number))
        .where(caller.sees(model.group_id))
    )


def _blank(name: str) -> str:
    """The document of a new model: the states that every model has and nothing between them."""
    states = [
        ("Exit", "Normal", "Z"),
        ("Error", "Exception", "X"),
        ("Cleanup", "Cleanup", "Y"),
        ("Initial", "Start", "A"),
    ]
    root = {"id": 0, "name": name, "type": "Root", "stateType": "Root", "parentId": None, "parameters": []}
    elements: list[dict[str, Any]] = [root]
    for number, (state, kind, sorting) in enumerate(states, start=1):
        elements.append(
            {
                "id": number,
                "name": state,
                "invisible": kind != "Start",
                "type": "State",
                "stateType": kind,
                "parentId": 0,
                "sortingType": sorting,
                "parameters": [],
            }
        )
    return json.dumps({"testcases": [], "tags": [], "elements": elements}, ensure_ascii=False)


Models = Annotated[ModelRepository, repository(ModelRepository)]
router = Router(tags=["Models"])
_NAME_IS_TAKEN: dict[int | str, Any] = {409: {"description": "The group has a model of that name already."}}


@router.post("/models", max_body_size=_LARGEST_BODY, responses=_NAME_IS_TAKEN)
def create_model(caller: User, models: Models, given: ModelIn) -> ModelOut:
    """Store a model in one of the caller's groups."""
    return models.add(given, caller)


@router.get("/models")
def list_models(caller: User, models: Models) -> list[ModelOut]:
    """The models of the caller's groups, by id."""
    return models.search(caller)


@router.get("/models/{model_id}")
def get_model(caller: User, models: Models, model_id: Id) -> ModelOut:
    """One model with its document."""
    return models.get(model_id, caller)


@router.put("/models/{model_id}", max_body_size=_LARGEST_BODY, responses=_NAME_IS_TAKEN)
def update_model(caller: User, models: Models, model_id: Id, given: ModelPatch) -> ModelOut:
    """Change a model; a document that differs from the stored one becomes a new version."""
    return models.change(model_id, given, caller)


@router.delete("/models/{model_id}")
def delete_model(caller: User, models: Models, model_id: Id) -> dict[str, Any]:
    """Delete a model with its versions, test cases and runs."""
    models.remove(model_id, caller)
    return {}
