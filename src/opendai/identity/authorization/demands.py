"""The authorization request: reads it, and refuses it as RFC 6749 and OpenID Connect say."""

import re
from dataclasses import dataclass

from sqlalchemy.orm import Session

from opendai import tables
from opendai.errors import Invalid, Problem
from opendai.identity.browser.sessions import Browser
from opendai.identity.clients import find_login_client
from opendai.identity.parameters import Parameters
from opendai.identity.redirects import is_registered, with_parameters

NAMES = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "state", "scope", "nonce", "prompt"),
    *("max_age", "login_hint", "code_challenge", "code_challenge_method"),
    *("request", "request_uri", "registration"),
)
_NOT_TAKEN = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
_MODES = {"query", "fragment"}
_PROMPTS = {"none", "login", "consent", "select_account"}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SCOPE = re.compile(r"[!#-\[\]-~]+(?: +[!#-\[\]-~]+)*")
_SECONDS = re.compile(r"[0-9]{1,9}")
_LONGEST_NAME = 255


class Misdirected(Invalid):
    """The program or its address is not registered, so the browser stays here (RFC 6749, 4.1.2.1)."""


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """The address that the browser returns to, and the part of it that carries the answer."""

    uri: str
    mode: str
    state: str | None

    def carrying(self, given: dict[str, str], *, issuer: str) -> str:
        state = {"state": self.state} if self.state is not None else {}
        return with_parameters(self.uri, {**given, **state, "iss": issuer}, mode=self.mode)


class SentBack(Problem):
    """A refusal that the browser takes back to the program: a code of RFC 6749 or OpenID Connect, and a sentence."""

    status = 303

    def __init__(self, address: ReturnAddress, code: str, message: str) -> None:
        super().__init__(message)
        self.address = address
        self.code = code


@dataclass(frozen=True, slots=True)
class Demand:
    """A valid authorization request."""

    client: tables.ApiClient
    address: ReturnAddress
    scope: str
    nonce: str | None
    challenge: str
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str

    @property
    def is_silent(self) -> bool:
        return "none" in self.prompts

    def is_met_by(self, browser: Browser | None) -> bool:
        """Whether the browser's login is enough, so that no page is shown."""
        if browser is None or self.prompts & {"login", "select_account"}:
            return False
        return self.max_age is None or browser.age <= self.max_age


def read_demand(session: Session, parameters: Parameters) -> Demand:
    """Raises Misdirected until the client and its address are known, and SentBack after that."""
    client = _client(session, parameters)
    uri = parameters.find("redirect_uri")
    if uri is None or not is_registered(client, uri):
        raise Misdirected("The address to return to is not registered for this program.")
    mode = parameters.find("response_mode")
    address = ReturnAddress(uri, "fragment" if mode == "fragment" else "query", parameters.find("state"))
    _check_form(address, parameters)
    _check_flow(address, parameters)
    max_age = parameters.find("max_age")
    return Demand(
        client=client,
        address=address,
        scope=_scope(address, parameters),
        nonce=parameters.find("nonce"),
        challenge=_challenge(address, parameters),
        prompts=_prompts(address, parameters),
        max_age=None if max_age is None else int(max_age),
        login_hint=(parameters.find("login_hint") or "")[:_LONGEST_NAME],
    )


def _client(session: Session, parameters: Parameters) -> tables.ApiClient:
    client_id = parameters.find("client_id")
    client = find_login_client(session, client_id) if client_id else None
    if client is None:
        raise Misdirected(
            "The program that sent you here is unknown, or people are not allowed to log in through it."
        )
    return client


def _check_form(address: ReturnAddress, parameters: Parameters) -> None:
    if parameters.refused:
        sentence = "A parameter is repeated, is too long or contains control characters."
        raise SentBack(address, "invalid_request", sentence)
    for name, code in _NOT_TAKEN.items():
        if parameters.find(name) is not None:
            raise SentBack(address, code, f"The parameter {name} is not supported.")
    if (parameters.find("response_mode") or address.mode) not in _MODES:
        raise SentBack(address, "invalid_request", "The response_mode must be query or fragment.")
    if not _SECONDS.fullmatch(parameters.find("max_age") or "0"):
        raise SentBack(address, "invalid_request", "The max_age must be a number of seconds.")


def _check_flow(address: ReturnAddress, parameters: Parameters) -> None:
    response_type = parameters.find("response_type")
    if response_type is None:
        raise SentBack(address, "invalid_request", "The parameter response_type is missing.")
    if response_type != "code":
        raise SentBack(address, "unsupported_response_type", "The response_type must be code.")


def _challenge(address: ReturnAddress, parameters: Parameters) -> str:
    challenge = parameters.find("code_challenge")
    if challenge is None:
        raise SentBack(address, "invalid_request", "The parameter code_challenge is missing.")
    # A missing method means plain (RFC 7636, 4.3), and plain protects from nobody who reads the request.
    if parameters.find("code_challenge_method") != "S256":
        raise SentBack(address, "invalid_request", "The code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise SentBack(address, "invalid_request", "The code_challenge is not an S256 challenge.")
    return challenge


def _scope(address: ReturnAddress, parameters: Parameters) -> str:
    scope = parameters.find("scope") or ""
    if len(scope) > _LONGEST_NAME or (scope and not _SCOPE.fullmatch(scope)):
        raise SentBack(address, "invalid_scope", "The scope is too long or malformed.")
    return " ".join(scope.split())


def _prompts(address: ReturnAddress, parameters: Parameters) -> frozenset[str]:
    prompts = frozenset((parameters.find("prompt") or "").split())
    if not prompts <= _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise SentBack(address, "invalid_request", "The prompt is not supported.")
    return prompts
