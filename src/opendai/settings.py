"""Every setting of the server, read from the environment once (`OPENDAI_…`); docs/settings.md lists them for people."""

import ipaddress
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, TypeAdapter, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url

Seconds = Annotated[int, Field(ge=1, le=86_400)]
Claim = Annotated[str, Field(min_length=1, max_length=255)]
Bytes = Annotated[int, Field(ge=1024, le=1 << 30)]
# A list in one variable; the validators split it at the commas.
Names = Annotated[tuple[str, ...], NoDecode]
Networks = Annotated[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode]

ANY = ("*",)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
_ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


class Settings(BaseSettings):
    """The choices of a deployment. Immutable. There is no global instance; `create_app` takes one."""

    model_config = SettingsConfigDict(env_prefix="OPENDAI_", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("data"), description="Where the database, the files and the secret key live.")
    database_url: str = Field("", description="SQLAlchemy URL; SQLite in the data folder when empty.")
    database_password_file: Path | None = Field(
        None, description="A file with the password of the PostgreSQL user, in place of one in the URL."
    )
    storage_url: str = Field(
        "", description="`s3://bucket?endpoint_url=…` or a folder; files in the data folder when empty."
    )
    public_url: str = Field(
        "", description="The address clients use; links and tokens name it. The listening address when empty."
    )
    allowed_hosts: Names = Field(
        (), description="Names in the Host header beside the one of the public URL; `*` for any."
    )
    trusted_proxies: Networks = Field(
        (), description="Networks of the proxies whose X-Forwarded-For is trusted."
    )
    cors_origins: Names = Field(
        (), description="Origins whose pages in a browser may read the answers; `*` alone for all."
    )
    secret_key_file: Path | None = Field(
        None,
        description="32 random bytes in hex, made with mode 0600 on first start; in the data folder when empty.",
    )
    admin_username: str = Field("admin", min_length=1, max_length=100)
    admin_password: SecretStr | None = Field(
        None, description="Of the first administrator; a random one is printed once when empty."
    )
    admin_password_file: Path | None = Field(
        None, description="A file with the password of the first administrator."
    )
    realm: str = Field("eggplant", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    internal_auth: bool = Field(
        False,
        description="Offer POST /ai/internal/auth, by which a login service checks a person's password.",
    )
    oidc_issuer: str = Field(
        "", description="An outside OpenID provider whose access tokens count, by the `iss` of its tokens."
    )
    oidc_jwks_url: str = Field(
        "", description="Where its keys are; the address that its discovery document names when empty."
    )
    oidc_audience: Claim = Field("account", description="The audience that `aud` of its tokens must contain.")
    oidc_username_claim: Claim = Field("preferred_username", description="The claim with the username.")
    oidc_roles_claim: Claim = Field("realm_access.roles", description="The claim with the roles.")
    oidc_admin_role: Claim = Field("admin", description="The role that makes an administrator.")
    oidc_user_role: Claim = Field("user", description="The role that makes a user.")
    oidc_groups_claim: Claim = Field("groups", description="The claim with the groups, if there is one.")
    oidc_create_users: bool = Field(
        True, description="Make a user for each person who logs in for the first time."
    )
    smtp_allow_private: bool = Field(
        False, description="Allow a mail server on a private address, such as a relay in the same network."
    )
    ai_server_basic_auth: bool = Field(
        False, description="Take HTTP Basic with a username and a password at the AI servers API."
    )
    ai_server_allowed_hosts: str = Field(
        "",
        description="Private hosts and networks that AI servers may be on, separated by commas.",
    )
    ai_server_calls: int = Field(
        4,
        ge=1,
        le=8,
        description="Calls of AI servers at once: this many for generations, and as many for tests.",
    )
    threads: int = Field(
        default_factory=lambda: 4 * (os.cpu_count() or 1),
        ge=2,
        le=256,
        description="Requests worked on at once.",
    )
    sqlite_synchronous: Literal["FULL", "NORMAL"] = Field(
        "FULL",
        description="FULL keeps every acknowledged write over a loss of power; NORMAL is four times faster.",
    )
    database_timeout_seconds: Seconds = Field(15, description="The longest a statement may take.")
    store_timeout_seconds: Seconds = Field(
        15, description="The longest a request waits for the object store."
    )
    access_token_seconds: Seconds = Field(300, description="Lifetime of a token of the token endpoint.")
    session_token_seconds: Seconds = Field(3600, description="Lifetime of a token of /ai/auth.")
    refresh_token_seconds: Seconds = Field(
        1800, description="How long a login through a program lasts without being refreshed."
    )
    login_seconds: Seconds = Field(
        36_000,
        description="How long a login lasts at most, and how long a browser stays logged in.",
    )
    file_url_seconds: int = Field(120, ge=60, le=300, description="Lifetime of a signed screenshot address.")
    lease_seconds: Seconds = Field(30, description="How long a claimed run waits for a report of its agent.")
    run_attempts: int = Field(
        3, ge=1, le=100, description="How often a run is claimed before it is an ERROR."
    )
    reaper_seconds: float = Field(
        2.0, ge=0.05, le=3600, description="Pause of the background loop that looks for ended leases."
    )
    max_body_bytes: Bytes = Field(1 << 20, description="Largest request body where nothing else is said.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, one JSON object a line elsewhere."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url.startswith("postgresql://"):
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url

    @field_validator("public_url")
    @classmethod
    def _is_plain_http(cls, url: str) -> str:
        if not url:
            return url
        parsed = TypeAdapter(AnyHttpUrl).validate_python(url)
        if parsed.query or parsed.fragment or parsed.username:
            raise ValueError("must be a scheme, a host and perhaps a port and a path")
        return url.rstrip("/")

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _hosts(cls, given: str | Iterable[object]) -> object:
        hosts = tuple(name.lower() for name in _split(given))
        if hosts != ANY and not all(_HOST.fullmatch(name) for name in hosts):
            raise ValueError("must be host names without a scheme or a port, joined by commas, or * alone")
        return hosts

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, given: str | Iterable[object]) -> object:
        origins = _split(given)
        if origins != ANY and not all(_ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError(
                "must be origins as browsers send them, such as https://app.example.com, joined by commas, "
                "or * alone"
            )
        return origins

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, given: str | Iterable[object]) -> object:
        try:
            return tuple(ipaddress.ip_network(network) for network in _split(given))
        except ValueError as error:
            raise ValueError(f"must be networks such as 10.0.0.0/8, joined by commas: {error}") from error

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _names_a_provider(cls, url: str) -> str:
        # Kept letter by letter, because it is compared with the issuer of tokens.
        if url:
            parsed = TypeAdapter(AnyHttpUrl).validate_python(url)
            if parsed.fragment or parsed.username:
                raise ValueError("must be a plain http or https address")
        return url

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, values: object) -> object:
        # An empty variable in a compose file means "not set", also where the type is a path or a secret.
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if value != ""}
        return values

    @property
    def database(self) -> str:
        """The database's URL with the default and the password filled in. ValueError: no such file."""
        if self.database_password_file and self.database_url.startswith("postgresql"):
            url = make_url(self.database_url).set(password=_secret_in(self.database_password_file))
            return url.render_as_string(hide_password=False)
        return self.database_url or f"sqlite:///{(self.data_dir / 'opendai.db').absolute()}"

    @property
    def first_password(self) -> str | None:
        """The password of the first administrator, if one was chosen. ValueError: no such file."""
        if self.admin_password_file:
            return _secret_in(self.admin_password_file)
        return self.admin_password.get_secret_value() if self.admin_password else None

    @property
    def storage(self) -> str:
        """The store's URL with the default filled in."""
        return self.storage_url or f"file://{(self.data_dir / 'objects').absolute()}"

    @property
    def key_file(self) -> Path:
        """The file of the secret key with the default filled in."""
        return self.secret_key_file or self.data_dir / "secret.key"

    @property
    def hosts(self) -> frozenset[str] | None:
        """The names in the Host header that are answered; None if every name is, which is the default.

        A name of this machine is always one of them: no page of another site can have it.
        """
        if self.allowed_hosts == ANY or not (self.allowed_hosts or self.public_url):
            return None
        public = [AnyHttpUrl(self.public_url).host or ""] if self.public_url else []
        return frozenset((*public, *self.allowed_hosts, *_LOOPBACK))

    def reached_at(self, address: str) -> Self:
        """These settings with a public URL: the configured one, otherwise the address of the socket."""
        if self.public_url:
            return self
        # Without a configured address, the names that clients use for the server are unknown.
        return self.model_copy(update={"public_url": address, "allowed_hosts": self.allowed_hosts or ANY})

    def export(self) -> None:
        """Put these settings into the environment, from which worker processes read them."""
        os.environ["OPENDAI_PUBLIC_URL"] = self.public_url
        os.environ["OPENDAI_ALLOWED_HOSTS"] = ",".join(self.allowed_hosts)
        os.environ["OPENDAI_DATA_DIR"] = str(self.data_dir.absolute())


def _split(given: str | Iterable[object]) -> tuple[str, ...]:
    parts = given.split(",") if isinstance(given, str) else map(str, given)
    return tuple(part.strip() for part in parts if part.strip())


def _secret_in(path: Path) -> str:
    """The content of the file, without the line end that editors add."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The file {path} with a password cannot be read.") from error
    if not secret:
        raise ValueError(f"The file {path} with a password is empty.")
    return secret
