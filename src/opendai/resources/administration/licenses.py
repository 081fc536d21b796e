"""Licences: optional limits on users and on executions at a time. Without any there is no limit.

A licence text is a JSON object: `{"users": 5, "executions": 2, "expires": "2027-12-31"}`, all of it optional. A
limit that some licence names is the sum over those licences that are in force; one that none names is not
enforced. Where there are licences and none is in force, nothing is allowed.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, StrictInt, ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from opendai import tables
from opendai.auth.audit import Audit, AuditDep
from opendai.auth.callers import Admin, User
from opendai.errors import Fault, Invalid, NotFound, PaymentRequired
from opendai.parts import repository
from opendai.resources.runs.states import UNFINISHED
from opendai.tables.columns import now
from opendai.wire.inputs import LARGEST_ID, Id, Input, Moment, Output, Text, Whole
from opendai.wire.routing import Router

_UNREADABLE = (
    'must be a JSON object with "users", "executions" (whole numbers) and "expires" (a date), or less'
)


def _end(given: object) -> object:
    """The moment when a licence ends; a date ends with its day, by UTC."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise ValueError("must be a date")  # noqa: TRY004 - what pydantic takes for a fault of the input
    if len(given) != len("2027-12-31"):
        return datetime.fromisoformat(given)
    last_day = datetime.combine(date.fromisoformat(given), time(tzinfo=UTC))
    return last_day + timedelta(days=1) if last_day.year < 9999 else last_day


Count = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class Terms(Input):
    """What a licence text says."""

    users: Count | None = None
    executions: Count | None = None
    expires_at: Annotated[Moment | None, BeforeValidator(_end)] = Field(None, alias="expires")


class LicenseIn(Input):
    serialnumber: Annotated[Whole, Field(ge=1, le=LARGEST_ID)] = Field(
        validation_alias=AliasChoices("serialnumber", "serialNumber")
    )
    license: Text
    eula_accepted: bool = True


class LicenseOut(Output):
    serialnumber: int
    license: str
    eula_accepted: bool


class CheckedLicenseOut(Output):
    """`state` is valid, expired or malformed."""

    serialnumber: int
    state: str


class CheckedLicensesOut(Output):
    licenses: list[CheckedLicenseOut]


class LicenseRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, serial_number: int) -> LicenseOut:
        row = self._session.execute(
            _licenses().where(tables.License.serial_number == serial_number)
        ).one_or_none()
        if row is None:
            raise NotFound(f"There is no license {serial_number}.")
        return LicenseOut.model_validate(row)

    def search(self) -> list[LicenseOut]:
        rows = self._session.execute(_licenses().order_by(tables.License.serial_number))
        return [LicenseOut.model_validate(row) for row in rows]

    def add(self, given: LicenseIn, audit: Audit) -> LicenseOut:
        terms = read_terms(given.license)
        if terms is None:
            raise Invalid(f"license: {_UNREADABLE}", faults=[Fault("license", _UNREADABLE)])
        self._session.add(
            tables.License(
                serial_number=given.serialnumber,
                text=given.license,
                is_eula_accepted=given.eula_accepted,
                is_readable=True,
                **terms.model_dump(),
            )
        )
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Invalid(
                f"There is a license {given.serialnumber} already.",
                faults=[Fault("serialnumber", "is taken")],
            ) from error
        audit.record("license.create", _target(given.serialnumber), **terms.model_dump(mode="json"))
        return self.get(given.serialnumber)

    def check(self) -> CheckedLicensesOut:
        """Read every text again, and say what is to be thought of it."""
        licenses = self._session.scalars(
            select(tables.License)
            .options(undefer(tables.License.text))
            .order_by(tables.License.serial_number)
            .with_for_update()
        ).all()
        for row in licenses:
            terms = read_terms(row.text)
            row.is_readable = terms is not None
            for column, value in (terms or Terms()).model_dump().items():
                setattr(row, column, value)
        return CheckedLicensesOut(
            licenses=[
                CheckedLicenseOut(serialnumber=row.serial_number, state=_state(row)) for row in licenses
            ]
        )

    def remove(self, serial_number: int, audit: Audit) -> None:
        number = tables.License.serial_number
        gone = self._session.execute(
            delete(tables.License).where(number == serial_number).returning(number)
        ).all()
        if not gone:
            raise NotFound(f"There is no license {serial_number}.")
        audit.record("license.delete", _target(serial_number))


def read_terms(text: str) -> Terms | None:
    """What a licence text says; None for a text that is not one."""
    try:
        return Terms.model_validate_json(text)
    except ValidationError:
        return None


def check_users(session: Session) -> None:
    """Raise PaymentRequired if the licences do not allow one more user who is let in."""
    limit = _limit(_locked(session), "users")
    if limit is not None and count_users(session) >= limit:
        raise PaymentRequired(f"The licenses are used up (users: {limit}).")


def check_executions(session: Session) -> None:
    """Raise PaymentRequired if the licences do not allow one more run at a time."""
    limit = _limit(_locked(session), "executions")
    if limit is not None and count_executions(session) >= limit:
        raise PaymentRequired(f"The licenses are used up (executions at a time: {limit}).")


def count_users(session: Session) -> int:
    """The people who are let in: those with a role."""
    return session.scalar(select(func.count(tables.User.id)).where(tables.User.role != "None")) or 0


def count_executions(session: Session) -> int:
    """The runs that have not finished."""
    return session.scalar(select(func.count(tables.Run.id)).where(tables.Run.status.in_(UNFINISHED))) or 0


def has_valid_license(session: Session) -> bool:
    """Whether a licence is in force, or none is needed because there is no limit."""
    licenses = session.scalars(select(tables.License)).all()
    return not licenses or any(_state(row) == "valid" for row in licenses)


def is_eula_accepted(session: Session) -> bool:
    refused = select(tables.License.serial_number).where(tables.License.is_eula_accepted.is_(False)).limit(1)
    return session.scalar(refused) is None


def _locked(session: Session) -> Sequence[tables.License]:
    # The lock makes those who take a place queue here: each then counts what the one before has taken.
    query = select(tables.License).order_by(tables.License.serial_number).with_for_update()
    return session.scalars(query).all()


def _limit(licenses: Sequence[tables.License], column: str) -> int | None:
    valid = [row for row in licenses if _state(row) == "valid"]
    if licenses and not valid:
        return 0
    if all(getattr(row, column) is None for row in licenses):
        return None
    return sum(getattr(row, column) or 0 for row in valid)


def _state(row: tables.License) -> str:
    if not row.is_readable:
        return "malformed"
    return "expired" if row.expires_at is not None and row.expires_at <= now() else "valid"


def _target(serial_number: int) -> str:
    return f"license:{serial_number}"


def _licenses() -> Any:
    row = tables.License
    return select(
        row.serial_number.label("serialnumber"),
        row.text.label("license"),
        row.is_eula_accepted.label("eula_accepted"),
    )


Licenses = Annotated[LicenseRepository, repository(LicenseRepository)]
router = Router(tags=["Licenses"])


@router.post("/licenses")
def create_license(caller: Admin, audit: AuditDep, licenses: Licenses, given: LicenseIn) -> LicenseOut:
    """Install a license. Its text is a JSON object with optional limits: `users`, `executions`, `expires`."""
    return licenses.add(given, audit)


@router.get("/licenses")
def list_licenses(caller: Admin, licenses: Licenses) -> list[LicenseOut]:
    """All licenses, by serial number."""
    return licenses.search()


@router.patch("/licenses")
def check_licenses(caller: Admin, licenses: Licenses) -> CheckedLicensesOut:
    """Read all licenses again and tell which are valid, expired or malformed."""
    return licenses.check()


@router.get("/licenses/{ser_num}")
def get_license(caller: User, licenses: Licenses, ser_num: Id) -> LicenseOut:
    """One license."""
    return licenses.get(ser_num)


@router.delete("/licenses/{ser_num}")
def delete_license(caller: Admin, audit: AuditDep, licenses: Licenses, ser_num: Id) -> dict[str, Any]:
    """Remove a license; what it allowed stays, and nothing new is allowed on its account."""
    licenses.remove(ser_num, audit)
    return {}
