"""Coverage models: how finely coverage is measured. They apply to the whole installation."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Admin, User
from opendai.database import AnyRow
from opendai.engine.coverage import DEEPEST_PATH
from opendai.errors import Conflict, NotFound
from opendai.parts import repository
from opendai.wire.inputs import Id, Input, Name, Output, Timestamp, Whole
from opendai.wire.routing import Router

PathDepth = Annotated[Whole, Field(ge=1, le=DEEPEST_PATH)]
VariableDepth = Annotated[Whole, Field(ge=1, le=2)]


class CoverageModelIn(Input):
    """`path_depth` is how many actions in a row count as one item; `variable_depth` is how many variables cross."""

    name: Name
    variable_depth: VariableDepth = 1
    path_depth: PathDepth = 1
    # The vendor's own client cannot set it, and a coverage model that it adds should be there to choose.
    is_active: bool = Field(True, alias="active")


class CoverageModelPatch(Input):
    """The fields that may change; a field that is left out or null stays as it is."""

    name: Name | None = None
    variable_depth: VariableDepth | None = None
    path_depth: PathDepth | None = None
    is_active: bool | None = Field(None, alias="active")


class CoverageModelOut(Output):
    id: int
    name: str
    variable_depth: int
    path_depth: int
    is_active: bool = Field(serialization_alias="active")
    created_at: Timestamp = Field(serialization_alias="created")


class CoverageModelRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, coverage_model_id: int) -> AnyRow:
        row = self._session.execute(_ONE, {"id": coverage_model_id}).one_or_none()
        if row is None:
            raise _missing(coverage_model_id)
        return row

    def search(self) -> Sequence[AnyRow]:
        return self._session.execute(_COVERAGE_MODELS).all()

    def add(self, given: CoverageModelIn) -> AnyRow:
        added = tables.CoverageModel(**given.model_dump())
        self._session.add(added)
        self._flush(given.name)
        return self.get(added.id)

    def change(self, coverage_model_id: int, given: CoverageModelPatch) -> AnyRow:
        changed = self._session.get(tables.CoverageModel, coverage_model_id, with_for_update=True)
        if changed is None:
            raise _missing(coverage_model_id)
        for column, value in given.model_dump(exclude_none=True).items():
            setattr(changed, column, value)
        self._flush(changed.name)
        return self.get(coverage_model_id)

    def remove(self, coverage_model_id: int) -> None:
        table = tables.CoverageModel
        gone = self._session.execute(
            delete(table).where(table.id == coverage_model_id).returning(table.id)
        ).all()
        if not gone:
            raise _missing(coverage_model_id)

    def ensure_built_in(self) -> None:
        """Add the coverage models of DAI, if there are none at all."""
        if self._session.scalar(select(tables.CoverageModel.id).limit(1)) is None:
            self._session.add_all(tables.CoverageModel(**given.model_dump()) for given in _BUILT_IN)
            self._session.flush()

    def _flush(self, name: str) -> None:
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Conflict(f'There is a coverage model "{name}" already.') from error


_BUILT_IN = [
    CoverageModelIn(name="All Nodes", path_depth=1, variable_depth=1, active=True),
    CoverageModelIn(name="All Pairs", path_depth=2, variable_depth=1, active=False),
    CoverageModelIn(name="Extended", path_depth=3, variable_depth=1, active=False),
    CoverageModelIn(name="Full Exploratory", path_depth=5, variable_depth=2, active=False),
]


_column = tables.CoverageModel.__table__.c
_COVERAGE_MODELS = select(
    _column.id,
    _column.name,
    _column.variable_depth,
    _column.path_depth,
    _column.is_active,
    _column.created_at,
).order_by(_column.id)
_ONE = _COVERAGE_MODELS.where(_column.id == bindparam("id"))


def _missing(coverage_model_id: int) -> NotFound:
    return NotFound(f"There is no coverage model {coverage_model_id}.")


CoverageModels = Annotated[CoverageModelRepository, repository(CoverageModelRepository)]
router = Router(tags=["Coverage"])
_NAME_IS_TAKEN: dict[int | str, Any] = {
    409: {"description": "There is a coverage model of that name already."}
}


@router.post("/coverage/models", status_code=201, responses=_NAME_IS_TAKEN)
def create_coverage_model(
    caller: Admin, coverage_models: CoverageModels, given: CoverageModelIn
) -> CoverageModelOut:
    """Add a coverage model for everyone."""
    return CoverageModelOut.model_validate(coverage_models.add(given))


@router.get("/coverage/models")
def list_coverage_models(caller: User, coverage_models: CoverageModels) -> list[CoverageModelOut]:
    """All coverage models, by id: the built-in ones come first."""
    return [CoverageModelOut.model_validate(row) for row in coverage_models.search()]


@router.get("/coverage/model/{id}")
def get_coverage_model(caller: User, coverage_models: CoverageModels, id: Id) -> CoverageModelOut:
    """One coverage model."""
    return CoverageModelOut.model_validate(coverage_models.get(id))


@router.put("/coverage/model/{id}", responses=_NAME_IS_TAKEN)
def update_coverage_model(
    caller: Admin, coverage_models: CoverageModels, id: Id, given: CoverageModelPatch
) -> CoverageModelOut:
    """Change a coverage model; fields that are left out stay as they are."""
    return CoverageModelOut.model_validate(coverage_models.change(id, given))


@router.delete("/coverage/model/{id}")
def delete_coverage_model(caller: Admin, coverage_models: CoverageModels, id: Id) -> dict[str, Any]:
    """Delete a coverage model."""
    coverage_models.remove(id)
    return {}
