"""What the running service needs beyond its database and its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from app.config.oauth import ProviderSettings, read_providers
from app.config.origin import (
    DEFAULT_PORTS,
    HIGHEST_PORT,
    check_bind,
    check_origin,
    check_rp_id,
    host_of,
    hosts_of,
)
from app.config.secret_keys import read_secret_keys
from app.config.variables import Variables
from app.errors import SettingsError

# Browsers cap a cookie's life at 400 days.
LONGEST_SESSION_SECONDS = 400 * 86_400
SHORTEST_SESSION_SECONDS = 60
LONGEST_RP_NAME_BYTES = 64


class Environment(StrEnum):
    """Production unless said: development is opted into."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


class Registration(StrEnum):
    """Who may create an account."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """The defaults are the documented ones.

    `secret_keys` are 32 bytes each, newest first; `trusted_proxies` counts hops before us;
    `providers` stand in the order of their buttons.
    """

    environment: Environment
    public_origin: str
    rp_id: str
    rp_name: str = "Open Badges"
    secret_keys: tuple[bytes, ...] = field(repr=False)
    registration: Registration = Registration.INVITE
    session_idle: timedelta = timedelta(days=3)
    session_absolute: timedelta = timedelta(days=30)
    admin_session_idle: timedelta = timedelta(minutes=15)
    admin_session_absolute: timedelta = timedelta(hours=12)
    step_up: timedelta = timedelta(minutes=10)
    challenge_ttl: timedelta = timedelta(minutes=5)
    trusted_proxies: int = 0
    public_docs: bool = False
    bind: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 4
    gate_bind: str = "127.0.0.1"
    gate_port: int = 8001
    gate_workers: int = 1
    providers: tuple[ProviderSettings, ...] = ()

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service over https, as cookies with `Secure` need."""
        return self.public_origin.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        """The values of `Host` by which browsers ask for us, with and without the port."""
        return hosts_of(self.public_origin)

    @property
    def open_issuers(self) -> frozenset[str]:
        """The issuers whose identities open accounts: those of the providers switched on."""
        return frozenset(provider.issuer for provider in self.providers)

    @property
    def session_cookie(self) -> str:
        return self._cookie("session")

    @property
    def browser_cookie(self) -> str:
        return self._cookie("browser")

    @property
    def handover_cookie(self) -> str:
        return self._cookie("handover")

    def _cookie(self, name: str) -> str:
        if self.secure:
            return f"__Host-{name}"
        # Cookies ignore ports, so two services on one localhost would overwrite each other's.
        _, _, authority = self.public_origin.partition("://")
        return f"openbadges_{name}_{authority.partition(':')[2] or DEFAULT_PORTS['http']}"


def read_environment(variables: Variables) -> Environment:
    return Environment(variables.choice("APP_ENV", tuple(Environment), Environment.PRODUCTION))


def read_service(variables: Variables, environment: Environment) -> ServiceSettings:
    """Read the service's variables; raises SettingsError at the first wrong or missing one.

    What production demands is read last: `flask config` can then show the rest beside a refusal.
    """
    development = environment is Environment.DEVELOPMENT
    port = variables.number("PORT", ServiceSettings.port, least=1, most=HIGHEST_PORT)
    idle, absolute = _read_lifetimes(
        variables, "SESSION", ServiceSettings.session_idle, ServiceSettings.session_absolute
    )
    admin_idle, admin_absolute = _read_lifetimes(
        variables,
        "ADMIN_SESSION",
        ServiceSettings.admin_session_idle,
        ServiceSettings.admin_session_absolute,
    )
    return ServiceSettings(
        environment=environment,
        bind=check_bind("BIND", variables.text("BIND", ServiceSettings.bind)),
        port=port,
        workers=variables.number("WEB_CONCURRENCY", ServiceSettings.workers, least=1, most=64),
        threads=variables.number("THREADS", ServiceSettings.threads, least=1, most=64),
        gate_bind=check_bind("GATE_BIND", variables.text("GATE_BIND", ServiceSettings.gate_bind)),
        gate_port=variables.number(
            "GATE_PORT", ServiceSettings.gate_port, least=1, most=HIGHEST_PORT
        ),
        gate_workers=variables.number(
            "GATE_WORKERS", ServiceSettings.gate_workers, least=1, most=64
        ),
        trusted_proxies=variables.number(
            "TRUSTED_PROXIES", ServiceSettings.trusted_proxies, least=0, most=10
        ),
        session_idle=idle,
        session_absolute=absolute,
        admin_session_idle=admin_idle,
        admin_session_absolute=admin_absolute,
        step_up=_read_seconds(variables, "STEP_UP_SECONDS", ServiceSettings.step_up, 1, 86_400),
        challenge_ttl=_read_seconds(
            variables, "CHALLENGE_SECONDS", ServiceSettings.challenge_ttl, 5, 3_600
        ),
        registration=_read_registration(variables),
        public_docs=variables.flag("PUBLIC_DOCS", default=development),
        providers=read_providers(variables, development=development),
        rp_name=_read_rp_name(variables),
        public_origin=(origin := _read_origin(variables, port, development=development)),
        rp_id=_read_rp_id(variables, origin),
        secret_keys=read_secret_keys(variables, development=development),
    )


def _read_lifetimes(
    variables: Variables, prefix: str, idle: timedelta, absolute: timedelta
) -> tuple[timedelta, timedelta]:
    """Read how long a session of one kind may rest, and how long it may live at all."""
    bounds = (SHORTEST_SESSION_SECONDS, LONGEST_SESSION_SECONDS)
    idle = _read_seconds(variables, f"{prefix}_IDLE_SECONDS", idle, *bounds)
    absolute = _read_seconds(variables, f"{prefix}_ABSOLUTE_SECONDS", absolute, *bounds)
    if idle > absolute:
        raise SettingsError(
            f"{prefix}_IDLE_SECONDS is longer than {prefix}_ABSOLUTE_SECONDS: make it the same or "
            "shorter."
        )
    return idle, absolute


def _read_seconds(
    variables: Variables, name: str, default: timedelta, least: int, most: int
) -> timedelta:
    seconds = int(default.total_seconds())
    return timedelta(seconds=variables.number(name, seconds, least=least, most=most))


def _read_registration(variables: Variables) -> Registration:
    return Registration(
        variables.choice("REGISTRATION", tuple(Registration), ServiceSettings.registration)
    )


def _read_rp_name(variables: Variables) -> str:
    name = variables.text("RP_NAME", ServiceSettings.rp_name)
    # Authenticators may cut a name after 64 bytes (WebAuthn Level 3, 6.4.1).
    if len(name.encode()) > LONGEST_RP_NAME_BYTES:
        raise SettingsError(f"RP_NAME is too long: use {LONGEST_RP_NAME_BYTES} bytes at most.")
    return name


def _read_origin(variables: Variables, port: int, *, development: bool) -> str:
    if not (development or variables.is_set("PUBLIC_ORIGIN")):
        raise SettingsError(
            "PUBLIC_ORIGIN is missing or empty: set it to the address that people type, such as "
            "https://id.example.org."
        )
    suffix = "" if port == DEFAULT_PORTS["http"] else f":{port}"
    origin = variables.text("PUBLIC_ORIGIN", f"http://localhost{suffix}")
    check_origin("PUBLIC_ORIGIN", origin, plain_http_allowed=development)
    return origin


def _read_rp_id(variables: Variables, origin: str) -> str:
    host = host_of(origin)
    rp_id = variables.text("RP_ID", host)
    check_rp_id(rp_id, host=host)
    return rp_id
