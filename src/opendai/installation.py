"""Prepares the first request: the schema, a signing key, an administrator, the coverage models."""

import contextlib
import secrets
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from opendai import tables
from opendai.auth.audit import Actor, Audit
from opendai.credentials.keys import ensure_signing_key
from opendai.credentials.passwords import Passwords
from opendai.credentials.secrets import load_secret_key
from opendai.database import Database, changing_schema, upsert
from opendai.migration import migrate
from opendai.resources.models.coverage_models import CoverageModelRepository
from opendai.settings import Settings
from opendai.storage import open_store

_ADMIN_GROUP = "admin"


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """The administrator of a new installation; `password` is None if a setting gave it."""

    username: str
    password: str | None


@dataclass(frozen=True, slots=True)
class Installed:
    """The result of an installation: the revisions before and after, and the administrator if one was made."""

    before: str | None
    after: str
    admin: FirstAdmin | None


def install(settings: Settings) -> Installed:
    """Bring an empty or older database to this release. If two servers start at once, one of them does all of it."""
    secret_key = load_secret_key(settings.key_file)
    with changing_schema(settings.database) as connection:
        before, after = migrate(connection)
        with Session(connection) as session:
            ensure_signing_key(session, secret_key)
            CoverageModelRepository(session).ensure_built_in()
            admin = _ensure_admin(session, settings.admin_username, settings.first_password)
            session.flush()
        return Installed(before, after, admin)


def _ensure_admin(session: Session, username: str, password: str | None) -> FirstAdmin | None:
    """Make the first administrator; None if there are users already."""
    if session.scalar(select(tables.User.id).limit(1)) is not None:
        return None
    group = session.scalar(select(tables.Group).where(tables.Group.name == _ADMIN_GROUP))
    if group is None:
        group = tables.Group(name=_ADMIN_GROUP)
        session.add(group)
    chosen = password or secrets.token_urlsafe(18)
    hashed = Passwords().hash(chosen)
    user = tables.User(username=username, password_hash=hashed, role="Admin", groups=[group])
    session.add(user)
    session.flush()
    audit = Audit(session, Actor.of_command())
    audit.record("user.create", f"user:{user.id}", username=username, role=user.role, groups=[group.name])
    return FirstAdmin(username=username, password=None if password else chosen)


def prepare_store(settings: Settings) -> None:
    """Make what the object store needs. Unavailable, in a sentence, if the store cannot be used."""
    with contextlib.closing(
        open_store(
            settings.storage,
            public_url=settings.public_url,
            signing_key=load_secret_key(settings.key_file).derive("file urls"),
        )
    ) as store:
        store.prepare()


def remember_public_url(database: Database, public_url: str) -> None:
    """Store the address of the server, for command-line tools on the same machine."""
    with database.writing() as session:
        # In one statement: servers that start together would both find no row and both insert one.
        row = upsert(session, tables.Instance).values(id=1, public_url=public_url)
        session.execute(row.on_conflict_do_update(index_elements=["id"], set_={"public_url": public_url}))


def find_public_url(session: Session) -> str | None:
    return session.scalar(select(tables.Instance.public_url).where(tables.Instance.id == 1))
