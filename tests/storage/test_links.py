"""Links to the files of the embedded store, judged without a store."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendai.errors import Forbidden
from opendai.storage import Grant, SignedLinks

KEY = "screenshots/a.png"
SIGNING_KEY = bytes(32)
PARAMETERS = ["type", "disposition", "expires", "version", "sig"]
REFUSAL = "This link is not valid or has expired."


def links_at(
    moment: float, *, public_url: str = "https://opendai.test", key: bytes = SIGNING_KEY
) -> SignedLinks:
    return SignedLinks(public_url, key, clock=lambda: moment)


LINKS = links_at(1000)


def parameters_of(links: SignedLinks, *, expires_in: int = 60) -> dict[str, str]:
    url = links.sign(KEY, expires_in=expires_in, content_type="image/png", download_as="a.png")
    return dict(parse_qsl(urlsplit(url).query))


def test_link_is_below_the_public_address() -> None:
    for public_url in ("https://opendai.test/tests", "https://opendai.test/tests/"):
        links = links_at(1000.9, public_url=public_url)
        url = links.sign(KEY, expires_in=60, content_type="image/png", download_as=None)
        assert url.startswith("https://opendai.test/tests/files/screenshots/a.png?")
        assert parse_qs(urlsplit(url).query)["expires"] == ["1060"]


def test_valid_link_is_granted_until_it_expires() -> None:
    parameters = parameters_of(links_at(1000))
    granted = Grant(content_type="image/png", disposition='attachment; filename="a.png"')
    assert links_at(1000).verify(KEY, parameters) == granted
    assert links_at(1059.9).verify(KEY, parameters) == granted
    for moment in (1060, 1061, 10_000):
        with pytest.raises(Forbidden, match=REFUSAL):
            links_at(moment).verify(KEY, parameters)


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize(
    "value", [None, "", "0", "2", "9999", "\u0661\u0660\u0666\u0660", "ü", "\ud800", "x\ny", "a" * 64]
)
def test_each_parameter_is_bound(name: str, value: str | None) -> None:
    parameters = parameters_of(links_at(1000))
    del parameters[name]
    if value is not None:
        parameters[name] = value
    with pytest.raises(Forbidden, match=REFUSAL):
        links_at(1000).verify(KEY, parameters)


def test_link_of_another_signing_key_is_refused() -> None:
    parameters = parameters_of(links_at(1000, key=b"\x01" * 32))
    with pytest.raises(Forbidden, match=REFUSAL):
        links_at(1000).verify(KEY, parameters)


@given(key=st.text(), parameters=st.dictionaries(st.sampled_from(PARAMETERS), st.text()))
def test_whatever_comes_is_forbidden(key: str, parameters: dict[str, str]) -> None:
    with pytest.raises(Forbidden, match=REFUSAL):
        LINKS.verify(key, parameters)


def test_fields_do_not_run_into_each_other() -> None:
    parameters = parameters_of(links_at(1000))
    moved = parameters | {
        "type": parameters["type"] + parameters["disposition"][:1],
        "disposition": parameters["disposition"][1:],
    }
    with pytest.raises(Forbidden, match=REFUSAL):
        links_at(1000).verify(KEY, moved)


def test_short_signing_key_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 32 bytes"):
        links_at(1000, key=bytes(31))


@pytest.mark.parametrize(
    "public_url", ["", "opendai.test", "ftp://a", "https://", "https://a/?b", "https://a/#b"]
)
def test_odd_public_address_is_refused(public_url: str) -> None:
    with pytest.raises(ValueError, match="is not the public http or https address"):
        links_at(1000, public_url=public_url)
