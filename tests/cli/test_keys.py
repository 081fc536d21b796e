"""`opendai keys`."""

import re

from tests.cli.conftest import Command

KEY = r"[0-9a-f]{32}"
MOMENT = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"


def _lines(command: Command) -> list[list[str]]:
    said = command("keys", "list")
    assert (said.code, said.errors) == (0, "")
    return [line.split("\t") for line in said.output.splitlines()]


def test_keys_are_rotated_listed_and_disabled(command: Command):
    ((first, state, moment),) = _lines(command)
    assert re.fullmatch(KEY, first)
    assert re.fullmatch(MOMENT, moment)
    assert state == "signs"

    said = command("keys", "rotate")
    found = re.fullmatch(rf"The key ({KEY}) signs from {MOMENT} on\.\n", said.output)
    assert said.code == 0
    assert found
    assert [line[:2] for line in _lines(command)] == [[found[1], "waits"], [first, "signs"]]

    refused = command("keys", "disable", first)
    assert (refused.code, refused.output) == (1, "")
    assert refused.errors == (
        f"opendai: The key {first} is the only one that can sign now. Rotate the keys first.\n"
    )
    assert command("keys", "disable", found[1]).output == f"The key {found[1]} is disabled.\n"
    assert [line[:2] for line in _lines(command)] == [[found[1], "disabled"], [first, "signs"]]


def test_a_key_that_is_not_there_cannot_be_disabled(command: Command):
    assert command("keys", "list").code == 0  # The first command tells about the administrator.
    refused = command("keys", "disable", "nothing")
    assert (refused.code, refused.output, refused.errors) == (1, "", "opendai: There is no key nothing.\n")
