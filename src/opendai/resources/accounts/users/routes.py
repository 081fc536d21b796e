"""Users over /ai/users."""

from typing import Annotated, Any

from fastapi.concurrency import run_in_threadpool

from opendai.auth.audit import Actor, ActorDep, Audit, AuditDep
from opendai.auth.callers import Admin, Caller
from opendai.auth.callers import User as UserPolicy
from opendai.errors import Forbidden
from opendai.parts import Parts, PartsDep, repository
from opendai.resources.accounts.users.repository import UserRepository
from opendai.resources.accounts.users.schemas import UserIn, UserOut, UserPatch, WelcomePopupIn
from opendai.wire.inputs import Id
from opendai.wire.routing import Router

Users = Annotated[UserRepository, repository(UserRepository)]
router = Router(tags=["Users"])


@router.post("/users", responses={402: {}, 409: {}, 429: {}})
async def create_user(caller: Admin, actor: ActorDep, parts: PartsDep, given: UserIn) -> UserOut:
    """Create a user and a group of the same name; the user is in it and in the named groups. 402 beyond the
    licenses."""
    return await parts.passwords.in_turn(_create_user, parts, given, actor)


def _create_user(parts: Parts, given: UserIn, actor: Actor) -> UserOut:
    # A user without a password cannot log in until one is set.
    hashed = None if given.password is None else parts.passwords.hash_new(given.password)
    with parts.database.writing() as session:
        user = UserRepository(session).add(
            given.username,
            hashed,
            Audit(session, actor),
            role=given.role or "User",
            groups=given.groups or [],
            hide_welcome_popup=bool(given.hide_welcome_popup),
        )
        return UserOut.model_validate(user)


@router.get("/users")
def list_users(caller: Admin, users: Users) -> list[UserOut]:
    """All users, by id."""
    return [UserOut.model_validate(user) for user in users.search()]


@router.get("/users/{user_id}")
def get_user(caller: UserPolicy, users: Users, user_id: Id) -> UserOut:
    """One user: administrators see all, others themselves."""
    _refuse_others(caller, user_id)
    return UserOut.model_validate(users.get(user_id))


@router.put("/users/{user_id}", responses={402: {}, 409: {}, 429: {}})
async def update_user(
    caller: UserPolicy, actor: ActorDep, parts: PartsDep, user_id: Id, given: UserPatch
) -> UserOut:
    """Change a user; fields that are left out stay as they are. A user who is no administrator may change the own
    password and welcome message. A new password ends the user's tokens; a new username renames the user's own
    group. The last administrator keeps the role (409)."""
    _refuse_others(caller, user_id)
    run = run_in_threadpool if given.password is None else parts.passwords.in_turn
    changed: UserOut = await run(_update_user, parts, user_id, given, caller, actor)
    return changed


def _update_user(parts: Parts, user_id: int, given: UserPatch, caller: Caller, actor: Actor) -> UserOut:
    hashed = None if given.password is None else parts.passwords.hash_new(given.password)
    with parts.database.writing() as session:
        audit = Audit(session, actor)
        user = UserRepository(session).change(user_id, given, caller, audit, password_hash=hashed)
        return UserOut.model_validate(user)


@router.delete("/users/{user_id}", responses={409: {}})
def delete_user(caller: Admin, audit: AuditDep, users: Users, user_id: Id) -> dict[str, Any]:
    """Delete a user and the user's tokens. The user's own group is deleted too, unless it has models, runs or other
    members. The last administrator stays (409)."""
    users.remove(user_id, audit)
    return {}


@router.post("/users/{user_id}/welcome_popup")
def set_welcome_popup(caller: UserPolicy, users: Users, user_id: Id, given: WelcomePopupIn) -> UserOut:
    """Show or hide the welcome message: administrators for all, others for themselves."""
    _refuse_others(caller, user_id)
    return UserOut.model_validate(users.hide_welcome_popup(user_id, is_hidden=given.hide_welcome_popup))


def _refuse_others(caller: Caller, user_id: int) -> None:
    # The same error for a user that is not there: it must not tell which users exist.
    if not (caller.is_admin or (caller.kind == "user" and caller.id == user_id)):
        raise Forbidden("This needs an administrator's rights.")
