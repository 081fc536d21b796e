"""Refresh token rotation: each token is good once, and a second use shows that somebody copied it."""

from sqlalchemy import ColumnElement, case, delete, or_, select, update
from sqlalchemy.orm import Session

from opendai import tables
from opendai.credentials.refresh_tokens import RefreshToken
from opendai.database import database_clock
from opendai.identity.token.issuing import Standing

# Two tabs refresh at the same time, and answers get lost. The previous token brings the same answer this long.
_GRACE_SECONDS = 5.0


def rotate(
    session: Session, token: RefreshToken, client: tables.ApiClient, *, idle: int, longest: int
) -> Standing | None:
    """Move the login on to its next generation. None if the token is no longer good, and then the login ends.

    `idle` and `longest` limit the login: seconds from now, and seconds from its begin. The caller must commit in
    both cases.
    """
    login = tables.Login
    pushed, limit = database_clock() + idle, login.authenticated + longest
    session.execute(
        update(login)
        .where(_is(token, client), login.generation == token.generation, limit > database_clock())
        .values(
            generation=login.generation + 1,
            rotated=database_clock(),
            expires=case((pushed < limit, pushed), else_=limit),
        )
        .execution_options(synchronize_session=False)
    )
    # This request did that, or another one with the same token a moment ago.
    found = _find(session, _is(token, client), _was_just_before(token))
    if found is None:
        session.execute(delete(login).where(login.id == token.login_id))
    return found


def find_standing(session: Session, token: RefreshToken, client: tables.ApiClient) -> Standing | None:
    """The login of a token that is good now. The token is not used up."""
    is_good = or_(tables.Login.generation == token.generation, _was_just_before(token))
    return _find(session, _is(token, client), is_good)


def _find(session: Session, *conditions: ColumnElement[bool]) -> Standing | None:
    login, user = tables.Login, tables.User
    row = session.execute(
        select(login, user, (login.expires - database_clock()).label("remaining"))
        .join(user, user.id == login.user_id)
        .where(*conditions)
    ).one_or_none()
    return None if row is None else Standing(row.Login, row.User, row.remaining)


def _is(token: RefreshToken, client: tables.ApiClient) -> ColumnElement[bool]:
    login = tables.Login
    is_it = (login.id == token.login_id) & (login.client_id == client.id)
    return is_it & (login.expires > database_clock())


def _was_just_before(token: RefreshToken) -> ColumnElement[bool]:
    login = tables.Login
    is_previous = login.generation == token.generation + 1
    return is_previous & (login.rotated > database_clock() - _GRACE_SECONDS)
