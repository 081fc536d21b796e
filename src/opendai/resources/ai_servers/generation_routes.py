"""The operations by which an AI server drafts test cases: trying it, and generating for a model."""

from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Response
from fastapi.concurrency import run_in_threadpool

from opendai import tables
from opendai.auth.basic import BasicAdmin, BasicUser
from opendai.database import Database
from opendai.parts import PartsDep, SessionDep, SettingsDep, repository
from opendai.resources.ai_servers.acceptance import accept
from opendai.resources.ai_servers.calls import ServerCalls
from opendai.resources.ai_servers.generation_schemas import (
    AcceptanceIn,
    AcceptanceOut,
    GenerationIn,
    GenerationOut,
    GenerationsOut,
    GenerationWriter,
    TrialIn,
    TrialOut,
)
from opendai.resources.ai_servers.generations import SORTABLE, GenerationRepository
from opendai.resources.ai_servers.paging import PagingDep, check_sort
from opendai.resources.ai_servers.repository import AiServerRepository
from opendai.wire.inputs import Id, any_json, any_json_page
from opendai.wire.routing import Router


async def _writer(settings: SettingsDep, id: Id) -> GenerationWriter:
    return GenerationWriter(settings.public_url, id)


WriterDep = Annotated[GenerationWriter, Depends(_writer)]
Generations = Annotated[GenerationRepository, repository(GenerationRepository)]
router = Router(tags=["Generating test cases"])
_TOO_MANY: dict[int | str, Any] = {
    429: {
        "description": "The limit on calls is reached; the header Retry-After is the number of seconds to wait."
    }
}


def _read_server(database: Database, server_id: int) -> tables.AiServer:
    with database.reading() as session:
        return AiServerRepository(session).get_with_token(server_id)


@router.post("/ai-servers/{id}/test", openapi_extra=any_json_page(TrialIn), responses=_TOO_MANY)
async def try_ai_server(
    caller: BasicAdmin,
    parts: PartsDep,
    writer: WriterDep,
    id: Id,
    given: Annotated[TrialIn, any_json(TrialIn)],
) -> TrialOut:
    """Ask an AI server for test cases and store nothing. A failed trial is answered with 200 too, and names the
    stage that failed: template, credentials, address, connection, deadline, size, encoding, protocol, status, JSON,
    json_path or answer shape."""
    server = await run_in_threadpool(_read_server, parts.database, id)
    calls = ServerCalls(parts.ai_servers, parts.secret_key)
    outcome = await parts.ai_server_turns.take(partial(calls.ask, server, requirement=given.requirement))
    return writer.trial(outcome)


@router.post(
    "/ai-servers/{id}/generations",
    status_code=202,
    openapi_extra=any_json_page(GenerationIn),
    responses=_TOO_MANY,
)
def start_generation(
    caller: BasicUser,
    generations: Generations,
    writer: WriterDep,
    response: Response,
    id: Id,
    given: Annotated[GenerationIn, any_json(GenerationIn)],
) -> GenerationOut:
    """Start to draft test cases. The server is asked in the background; the generation shows the progress."""
    row = generations.add(id, given.requirement, given.model_id, caller)
    response.headers["Location"] = writer.address(row.id)
    return writer.generation(row, generations.details([row]))


@router.get("/ai-servers/{id}/generations", response_model_exclude_unset=True)
def list_generations(
    caller: BasicUser,
    servers: Annotated[AiServerRepository, repository(AiServerRepository)],
    generations: Generations,
    writer: WriterDep,
    id: Id,
    paging: PagingDep,
) -> GenerationsOut:
    """A page of the generations for models of the caller's groups, and of the caller's own without a model."""
    check_sort(paging.orders, SORTABLE)
    servers.get(id)
    rows = generations.search(id, caller, paging)
    total = generations.count(id, caller)
    return writer.page(rows, generations.details(rows), paging, total=total)


@router.get("/ai-servers/{id}/generations/{generation_id}")
def get_generation(
    caller: BasicUser, generations: Generations, writer: WriterDep, id: Id, generation_id: Id
) -> GenerationOut:
    """One generation: its progress and, once it is FINISHED, the drafted test cases."""
    row = generations.get(id, generation_id, caller)
    return writer.generation(row, generations.details([row]))


@router.delete("/ai-servers/{id}/generations/{generation_id}", status_code=204)
def cancel_generation(caller: BasicUser, generations: Generations, id: Id, generation_id: Id) -> None:
    """Cancel a generation; a later answer is dropped. A generation that has ended stays as it is."""
    generations.cancel(id, generation_id, caller)


@router.post("/ai-servers/{id}/generations/{generation_id}/accept", openapi_extra=any_json_page(AcceptanceIn))
def accept_proposals(
    caller: BasicUser,
    session: SessionDep,
    generations: Generations,
    writer: WriterDep,
    id: Id,
    generation_id: Id,
    given: Annotated[AcceptanceIn, any_json(AcceptanceIn)],
) -> AcceptanceOut:
    """Store proposals as test cases of the model. Steps that name states and actions become the text of a test case,
    and all steps become its description. A proposal that was stored before is not stored again: the answer is the
    same as before."""
    row = generations.get(id, generation_id, caller)
    accepted = accept(session, row, given.proposals, given.model_id, caller)
    return writer.acceptance(row.id, accepted)
