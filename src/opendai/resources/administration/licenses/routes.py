"""Licenses over /ai/licenses."""

from typing import Annotated, Any

from opendai.auth.audit import AuditDep
from opendai.auth.callers import Admin, User
from opendai.parts import repository
from opendai.resources.administration.licenses.repository import LicenseRepository
from opendai.resources.administration.licenses.schemas import (
    CheckedLicenseOut,
    CheckedLicensesOut,
    LicenseIn,
    LicenseOut,
)
from opendai.wire.inputs import Id
from opendai.wire.routing import Router

Licenses = Annotated[LicenseRepository, repository(LicenseRepository)]
router = Router(tags=["Licenses"])


@router.post("/licenses")
def create_license(caller: Admin, audit: AuditDep, licenses: Licenses, given: LicenseIn) -> LicenseOut:
    """Install a license. Its text is a JSON object with optional limits: `users`, `executions`, `expires`."""
    return LicenseOut.model_validate(licenses.add(given, audit))


@router.get("/licenses")
def list_licenses(caller: Admin, licenses: Licenses) -> list[LicenseOut]:
    """All licenses, by serial number."""
    return [LicenseOut.model_validate(row) for row in licenses.search()]


@router.patch("/licenses")
def check_licenses(caller: Admin, licenses: Licenses) -> CheckedLicensesOut:
    """Read all licenses again and return which are valid, expired or malformed."""
    checked = [CheckedLicenseOut.model_validate(each) for each in licenses.check()]
    return CheckedLicensesOut(licenses=checked)


@router.get("/licenses/{ser_num}")
def get_license(caller: User, licenses: Licenses, ser_num: Id) -> LicenseOut:
    """One license."""
    return LicenseOut.model_validate(licenses.get(ser_num))


@router.delete("/licenses/{ser_num}")
def delete_license(caller: Admin, audit: AuditDep, licenses: Licenses, ser_num: Id) -> dict[str, Any]:
    """Remove a license. Users and runs that it allowed stay; it allows no new ones."""
    licenses.remove(ser_num, audit)
    return {}
