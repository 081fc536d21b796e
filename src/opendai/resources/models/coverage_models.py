"""Coverage models: how finely coverage is measured. They hold for the whole installation."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.callers import Admin, User
from opendai.engine.coverage import DEEPEST_PATH
from opendai.errors import Conflict, NotFound
from opendai.parts import repository
from opendai.wire.inputs import Id, Input, Name, Output, Timestamp, Whole
from opendai.wire.routing import Router

PathDepth = Annotated[Whole, Field(ge=1, le=DEEPEST_PATH)]
VariableDepth = Annotated[Whole, Field(ge=1, le=2)]


class CoverageModelIn(Input):
    """`path_depth` is how many actions in a row count as one item, `variable_depth` how many variables cross."""

    name: Name
    variable_depth: VariableDepth = 1
    path_depth: PathDepth = 1
    # The vendor's own client cannot say it, and what it makes should be there to choose.
    is_active: bool = Field(True, alias="active")


class CoverageModelPatch(Input):
    """What may change; a field that is left out or null stays as it is."""

    name: Name | None = None
    variable_depth: VariableDepth | None = None
    path_depth: PathDepth | None = None
    is_active: bool | None = Field(None, alias="active")


class CoverageModelOut(Output):
    id: int
    name: str
    variable_depth: int
    path_depth: int
    active: bool
    created: Timestamp


class CoverageModelRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, coverage_model_id: int) -> CoverageModelOut:
        query = _coverage_models().where(tables.CoverageModel.id == coverage_model_id)
        row = self._session.execute(query).one_or_none()
        if row is None:
            raise _missing(coverage_model_id)
        return CoverageModelOut.model_validate(row)

    def search(self) -> list[CoverageModelOut]:
        rows = self._session.execute(_coverage_models().order_by(tables.CoverageModel.id))
        return [CoverageModelOut.model_validate(row) for row in rows]

    def add(self, given: CoverageModelIn) -> CoverageModelOut:
        added = tables.CoverageModel(**given.model_dump())
        self._session.add(added)
        self._flush(given.name)
        return self.get(added.id)

    def change(self, coverage_model_id: int, given: CoverageModelPatch) -> CoverageModelOut:
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
        """Make the coverage models that DAI comes with, if there are none at all."""
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


def _coverage_models() -> Any:
    table = tables.CoverageModel
    return select(
        table.id,
        table.name,
        table.variable_depth,
        table.path_depth,
        table.is_active.label("active"),
        table.created_at.label("created"),
    )


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
    return coverage_models.add(given)


@router.get("/coverage/models")
def list_coverage_models(caller: User, coverage_models: CoverageModels) -> list[CoverageModelOut]:
    """All coverage models, by id: those that every installation begins with come first."""
    return coverage_models.search()


@router.get("/coverage/model/{id}")
def get_coverage_model(caller: User, coverage_models: CoverageModels, id: Id) -> CoverageModelOut:
    """One coverage model."""
    return coverage_models.get(id)


@router.put("/coverage/model/{id}", responses=_NAME_IS_TAKEN)
def update_coverage_model(
    caller: Admin, coverage_models: CoverageModels, id: Id, given: CoverageModelPatch
) -> CoverageModelOut:
    """Change a coverage model; fields that are left out stay as they are."""
    return coverage_models.change(id, given)


@router.delete("/coverage/model/{id}")
def delete_coverage_model(caller: Admin, coverage_models: CoverageModels, id: Id) -> dict[str, Any]:
    """Delete a coverage model."""
    coverage_models.remove(id)
    return {}
