"""The rows of licenses."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from opendai import tables
from opendai.auth.audit import Audit
from opendai.database import AnyRow
from opendai.errors import Fault, Invalid, NotFound
from opendai.resources.administration.licenses.schemas import LicenseIn
from opendai.resources.administration.licenses.terms import UNREADABLE, Terms, read_terms
from opendai.tables.columns import now

State = Literal["valid", "expired", "malformed"]


@dataclass(frozen=True, slots=True)
class CheckedLicense:
    serial_number: int
    state: State


class LicenseRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, serial_number: int) -> AnyRow:
        row = self._session.execute(_LICENSES.where(_license.serial_number == serial_number)).one_or_none()
        if row is None:
            raise _missing(serial_number)
        return row

    def search(self) -> list[AnyRow]:
        return list(self._session.execute(_LICENSES.order_by(_license.serial_number)))

    def add(self, given: LicenseIn, audit: Audit) -> AnyRow:
        terms = read_terms(given.text)
        if terms is None:
            raise Invalid(f"license: {UNREADABLE}", faults=[Fault("license", UNREADABLE)])
        self._session.add(tables.License(**given.model_dump(), is_readable=True, **terms.model_dump()))
        try:
            self._session.flush()
        except IntegrityError as error:
            raise Invalid(
                f"There is a license {given.serial_number} already.",
                faults=[Fault("serialnumber", "is taken")],
            ) from error
        audit.record("license.create", _target(given.serial_number), **terms.model_dump(mode="json"))
        return self.get(given.serial_number)

    def check(self) -> list[CheckedLicense]:
        """Read every text again, store the terms, and return the state of each license."""
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
        return [CheckedLicense(row.serial_number, state_of(row)) for row in licenses]

    def remove(self, serial_number: int, audit: Audit) -> None:
        number = tables.License.serial_number
        gone = self._session.execute(
            delete(tables.License).where(number == serial_number).returning(number)
        ).all()
        if not gone:
            raise _missing(serial_number)
        audit.record("license.delete", _target(serial_number))


_license = tables.License.__table__.c
_LICENSES = select(_license.serial_number, _license.text, _license.is_eula_accepted)


def state_of(row: tables.License) -> State:
    if not row.is_readable:
        return "malformed"
    return "expired" if row.expires_at is not None and row.expires_at <= now() else "valid"


def _target(serial_number: int) -> str:
    return f"license:{serial_number}"


def _missing(serial_number: int) -> NotFound:
    return NotFound(f"There is no license {serial_number}.")
