"""The routes of the plain application, at the addresses that opendai has them at."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jwt import JWTClaimsRegistry
from sqlalchemy import insert
from sqlalchemy.orm import Session, sessionmaker

from bench.peers.database import connect
from bench.peers.listening import serve
from bench.peers.plain.schemas import AgentOut, EventsIn, ReceivedOut
from bench.peers.tables import Agent, ApiClient, Step

ISSUER, AUDIENCE = "http://peer", "account"

router = APIRouter()


def create_app(database_url: str, public_key: RSAKey) -> FastAPI:
    """The application on a database that has its tables."""
    app = FastAPI(title="peer")
    app.state.new_session = sessionmaker(connect(database_url))
    app.state.public_key = public_key
    app.include_router(router)
    return app


def get_session(request: Request) -> Iterator[Session]:
    with request.app.state.new_session() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_caller(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
    session: SessionDep,
    request: Request,
) -> ApiClient:
    refused = HTTPException(401, "The token is not valid.")
    try:
        token = jwt.decode(credentials.credentials, request.app.state.public_key, algorithms=["RS256"])
        _claims_registry().validate(token.claims)
    except (JoseError, ValueError) as error:
        raise refused from error
    client = session.get(ApiClient, int(token.claims["sub"].removeprefix("client:")))
    if client is None or client.revoked_at is not None or client.generation != token.claims["gen"]:
        raise refused
    return client


@router.get("/ai/agents/{agent_id}", response_model=AgentOut, dependencies=[Depends(get_caller)])
def get_agent(session: SessionDep, agent_id: int) -> Agent:
    agent = session.get(Agent, agent_id)
    if agent is None:
        raise HTTPException(404, "There is no such agent.")
    return agent


@router.post("/agent_service/api/v1/runs/{run_id}/events", dependencies=[Depends(get_caller)])
def report_events(session: SessionDep, run_id: int, given: EventsIn) -> ReceivedOut:
    # SQLAlchemy documents this way for many rows: no object of the ORM is made for each.
    rows = [
        {**step.model_dump(exclude={"type"}), "run_id": run_id, "attempt": given.attempt}
        for step in given.events
    ]
    session.execute(insert(Step), rows)
    session.commit()
    return ReceivedOut(last=given.first + len(given.events) - 1)


def _claims_registry() -> JWTClaimsRegistry:
    # Made for each token, because it reads the clock when it is made.
    return JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        typ={"essential": True, "value": "Bearer"},
        sub={"essential": True},
        gen={"essential": True},
        exp={"essential": True},
    )


if __name__ == "__main__":
    serve(create_app(sys.argv[1], RSAKey.import_key(Path(sys.argv[2]).read_text(encoding="utf-8"))))
