"""Generations and trials as clients read and write them: bodies in, and resources with links out."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from opendai import tables
from opendai.resources.ai_servers.calls import Outcome
from opendai.resources.ai_servers.drafting import MOST_ATTEMPTS
from opendai.resources.ai_servers.generations import Details
from opendai.resources.ai_servers.paging import Paging, linked_pages, pages_of, query_of
from opendai.resources.ai_servers.proposals import Draft
from opendai.resources.ai_servers.schemas import PREFIX, LinkOut, LinksOut, PageOut, Stamp
from opendai.tables.columns import now
from opendai.tables.states import RUNNING
from opendai.wire.inputs import LARGEST_ID, Input, Line, Text, Whole

_LONGEST_REQUIREMENT = 20_000
_LONGEST_SHOWN = 65_536
_MOST_CHOSEN = 100


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _number_as_text(value: object) -> object:
    return str(value) if type(value) is int and 0 < value <= LARGEST_ID else value


Requirement = Annotated[Text, AfterValidator(_not_blank), Field(max_length=_LONGEST_REQUIREMENT)]
Chosen = Annotated[
    list[Annotated[Whole, Field(ge=1, le=_MOST_CHOSEN)]],
    Field(min_length=1, max_length=_MOST_CHOSEN),
    AfterValidator(lambda numbers: list(dict.fromkeys(numbers))),
]
ModelRef = Annotated[Line, Field(min_length=1), BeforeValidator(_number_as_text)]


class TrialIn(Input):
    """A requirement to try an AI server with."""

    requirement: Requirement


class GenerationIn(TrialIn):
    """`model_id` is the UUID or the number of the model that the test cases are for."""

    model_id: ModelRef | None = None


class AcceptanceIn(Input):
    """The ids of the proposals that become test cases; `model_id` if the generation was started without a model."""

    proposals: Chosen
    model_id: ModelRef | None = None


class SelfOut(BaseModel):
    """The link that every resource has."""

    this: LinkOut = Field(alias="self")


class FailureOut(BaseModel):
    """The stage that failed, and the reason."""

    stage: str
    message: str


class RequestOut(BaseModel):
    """The request as it was sent, with *** in place of the token."""

    method: str = "POST"
    url: str
    headers: dict[str, str]
    payload: str


class TrialOut(BaseModel):
    """The result of a trial. The fields of later stages are null or empty if a stage failed."""

    is_successful: bool
    failure: FailureOut | None
    request: RequestOut | None
    status: int | None
    text: str | None
    """The text at the json_path, at most its first 65,536 characters."""
    testCases: list[Draft]  # noqa: N815 - the documented spelling
    links: SelfOut = Field(alias="_links")


class ProgressOut(BaseModel):
    """How often the server was asked, and how long it has taken for the present answer."""

    attempt: int
    attempts: int
    elapsed_seconds: int
    deadline_seconds: int


class ProposalOut(Draft):
    """A drafted test case; `testcase_id` is the test case that was made of it, or null."""

    id: int
    testcase_id: int | None = None


class GenerationOut(BaseModel):
    """A generation. `failure` is that of the last attempt. If the status is still QUEUED, another attempt follows."""

    id: int
    ai_server_id: int
    model_id: str | None
    status: str
    progress: ProgressOut
    failure: FailureOut | None
    requirement: str
    proposals: list[ProposalOut]
    created_by: str
    created_on: Stamp
    ended_on: Stamp | None
    links: SelfOut = Field(alias="_links")


class GenerationsEmbeddedOut(BaseModel):
    generations: list[GenerationOut]


class GenerationsOut(BaseModel):
    """A page of generations; an empty page has no `_embedded`."""

    embedded: GenerationsEmbeddedOut | None = Field(None, alias="_embedded")
    links: LinksOut = Field(alias="_links")
    page: PageOut


class UntranslatedOut(BaseModel):
    index: int
    action: str


class AcceptedOut(BaseModel):
    """The test case that a proposal became, and the steps whose action names nothing of the model."""

    id: int
    testcase_id: int
    testcase_name: str
    testcase: str
    not_translated: list[UntranslatedOut]


class AcceptanceOut(BaseModel):
    accepted: list[AcceptedOut]
    links: SelfOut = Field(alias="_links")


class GenerationWriter:
    """Writes generations, trials and acceptances, with links that begin with the server's public address."""

    def __init__(self, public_url: str, server_id: int) -> None:
        self._server = f"{public_url}{PREFIX}/ai-servers/{server_id}"
        self._server_id = server_id

    def address(self, generation_id: int) -> str:
        return f"{self._server}/generations/{generation_id}"

    def trial(self, outcome: Outcome) -> TrialOut:
        sent, failure = outcome.sent, outcome.failure
        values = {
            "is_successful": failure is None,
            "failure": failure and {"stage": failure.stage, "message": failure.reason},
            "request": sent and {"url": sent.url, "headers": dict(sent.headers), "payload": sent.payload},
            "status": outcome.status,
            "text": outcome.text and outcome.text[:_LONGEST_SHOWN],
            "testCases": outcome.drafts,
        }
        return TrialOut.model_validate({**values, "_links": _self(f"{self._server}/test")})

    def generation(self, row: tables.Generation, details: Mapping[int, Details]) -> GenerationOut:
        elapsed = math.floor((now() - row.started_at).total_seconds()) if row.started_at else 0
        progress = {
            "attempt": row.attempt,
            "attempts": MOST_ATTEMPTS,
            "elapsed_seconds": max(elapsed, 0) if row.status == RUNNING else 0,
            "deadline_seconds": details[row.id].deadline_seconds,
        }
        values = {
            "id": row.id,
            "ai_server_id": self._server_id,
            "model_id": details[row.id].model_uuid,
            "status": row.status,
            "progress": progress,
            "failure": row.stage and {"stage": row.stage, "message": row.reason},
            "requirement": row.requirement,
            "proposals": [
                {**proposal, "testcase_id": proposal.get("accepted", {}).get("testcase_id")}
                for proposal in json.loads(row.proposals or "[]")
            ],
            "created_by": row.started_by,
            "created_on": row.created_at,
            "ended_on": row.ended_at,
        }
        return GenerationOut.model_validate({**values, "_links": _self(self.address(row.id))})

    def page(
        self,
        rows: Sequence[tables.Generation],
        details: Mapping[int, Details],
        paging: Paging,
        *,
        total: int,
    ) -> GenerationsOut:
        links = {
            relation: {"href": f"{self._server}/generations?{query_of(paging, number)}"}
            for relation, number in linked_pages(paging, total).items()
        }
        page = {
            "size": paging.size,
            "totalElements": total,
            "totalPages": pages_of(total, paging.size),
            "number": paging.number,
        }
        shown = {"generations": [self.generation(row, details) for row in rows]}
        embedded = {"_embedded": shown} if rows else {}
        return GenerationsOut.model_validate({**embedded, "_links": links, "page": page})

    def acceptance(self, generation_id: int, accepted: Sequence[Mapping[str, object]]) -> AcceptanceOut:
        links = _self(f"{self.address(generation_id)}/accept")
        return AcceptanceOut.model_validate({"accepted": accepted, "_links": links})


def _self(href: str) -> dict[str, dict[str, str]]:
    return {"self": {"href": href}}
