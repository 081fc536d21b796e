"""The sources of an agent's server and credentials: options, environment, secret files, an ini file."""

import configparser
from dataclasses import dataclass, field
from pathlib import Path

_KEYS = ("url", "client_id", "client_secret", "token_url")
_LARGEST_FILE = 64 * 1024


class ConfigurationError(Exception):
    """A sentence for the person who started the agent."""


@dataclass(frozen=True, slots=True)
class Access:
    """A server and the credentials for it; an empty text means that a value was not given."""

    url: str = ""
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    token_url: str = ""

    def or_else(self, other: "Access") -> "Access":
        """A copy of this, with missing values from the other."""
        return Access(
            url=self.url or other.url,
            client_id=self.client_id or other.client_id,
            client_secret=self.client_secret or other.client_secret,
            token_url=self.token_url or other.token_url,
        )

    def check(self) -> None:
        """ConfigurationError naming the options that are still missing."""
        needed = {"--url": self.url, "--client-id": self.client_id, "--client-secret": self.client_secret}
        missing = [option for option, value in needed.items() if not value]
        if missing:
            raise ConfigurationError(f"{' and '.join(missing)} must be given, or an --ini-file that has it.")


def read_ini(path: Path) -> Access:
    """The one section of an ini file, whatever its name, with ``url``, ``client_id``, ``client_secret`` and
    perhaps ``token_url``. Other keys are ignored.
    """
    # A secret may hold a percent sign. The parser's message is not shown, because it quotes the line.
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(path))
    except configparser.Error as error:
        line = getattr(error, "lineno", None)
        where = f", line {line}" if line else ""
        raise ConfigurationError(f"{path}{where} is not an ini file.") from error
    if len(parser.sections()) != 1:
        raise ConfigurationError(f"{path} must have one section, and it has {len(parser.sections())}.")
    section = parser[parser.sections()[0]]
    values = {key: section.get(key, "").strip() for key in _KEYS}
    missing = [key for key in _KEYS[:3] if not values[key]]
    if missing:
        raise ConfigurationError(f"{path} does not say {' and '.join(missing)}.")
    return Access(**values)


def read_secret(path: Path) -> str:
    """The text of a file, without the line end that editors add."""
    secret = _read(path).strip()
    if not secret:
        raise ConfigurationError(f"{path} is empty.")
    return secret


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > _LARGEST_FILE:
        raise ConfigurationError(f"{path} is too large to be a file of credentials.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text.") from error
