"""The pages where people may sign in with accounts elsewhere: fit for everybody, and at work.

The provider is a door that nobody comes back from; what is behind it is tried elsewhere.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, delete, select, update
from sqlalchemy.orm import Session

from app import clock
from app.config import load_settings
from app.models import Credential, Identity, User, UserSession
from tests.browser.conftest import NewVisitor
from tests.browser.looks import look
from tests.browser.steps import add_passkey, dialog, make_time_pass, new_address, rows, sign_up
from tests.browser.visitors import Visitor
from tests.support.databases import EngineName, ScratchDatabases
from tests.support.keeper import Keeper
from tests.support.loopback_http import Answer, answering
from tests.support.servers import Server, running_server
from tests.support.variables import DEVELOPMENT

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        f"OAUTH_{name}_{member}": value
        for name in ("GITHUB", "GOOGLE", "GITLAB")
        for member, value in (("CLIENT_ID", "a-client"), ("CLIENT_SECRET", "not a secret"))
    }
)
DOOR = "/login/oauth/authorize"
AT_GITHUB = f"**{DOOR}?**"


@pytest.fixture(scope="session")
def server(
    engine_name: EngineName,
    keeper: Keeper,
    scratch_database: ScratchDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:
    """Serve with three providers to sign in with."""

    @contextmanager
    def start() -> Iterator[Server]:
        log_file = tmp_path_factory.mktemp("server") / "service.log"
        with answering(lambda _question: Answer(body=b"a door")) as origin:
            door = {"OAUTH_GITHUB_AUTHORIZATION_ENDPOINT": f"{origin}{DOOR}"}
            variables = {**DEVELOPMENT, **PROVIDERS, **door, **scratch_database()}
            with running_server(variables, log_file) as running:
                yield running

    return keeper.once(("server with providers", engine_name), start)


Change = Callable[[Session, User], None]


def sign_up_with(visitor: Visitor, server: Server, *changes: Change) -> None:
    """Create an account, have the database changed, and look at the account again."""
    address = new_address()
    sign_up(visitor, email=address)
    engine = create_engine(load_settings(server.environment).database.url)
    with Session(engine) as session, session.begin():
        person = session.scalars(select(User).where(User.email == address)).one()
        for change in changes:
            change(session, person)
    engine.dispose()
    visitor.page.reload()
    expect(visitor.page.get_by_role("button", name="Sign out")).to_be_enabled()


def links_github(session: Session, person: User) -> None:
    _link(session, person, provider="github", issuer="https://github.com", name="ada")


def links_others(session: Session, person: User) -> None:
    _link(session, person, provider="google", issuer="https://accounts.google.com", name=None)
    _link(session, person, provider="campus", issuer="https://campus.example", name="Ada Lovelace")


def _link(session: Session, person: User, *, provider: str, issuer: str, name: str | None) -> None:
    session.add(
        Identity(
            user_id=person.id,
            provider=provider,
            issuer=issuer,
            provider_id=person.id,
            profile={"name": name, "email": "ada.lovelace@example.org"},
            last_used_at=clock.now() if name else None,
        )
    )


def has_no_passkey(session: Session, person: User) -> None:
    session.execute(delete(Credential).where(Credential.user_id == person.id))
    linked = session.scalar(
        select(Identity.id).where(Identity.user_id == person.id, Identity.provider == "github")
    )
    came_by = {"authenticated_with": "oauth:github", "authenticator_id": linked}
    session.execute(update(UserSession).where(UserSession.user_id == person.id).values(came_by))


def lost_its_address(_session: Session, person: User) -> None:
    person.email = person.email_canonical = None
    person.address_lost_at = clock.now()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("outside-sign-in", "/sign-in"),
        ("outside-sign-up", "/sign-up"),
        ("refused-exists", "/sign-in/refused?code=account_exists&provider=github"),
        ("refused-denied", "/sign-in/refused?code=authorization_denied&provider=github"),
    ],
)
def test_page_is_fit_for_everybody(visitor: Visitor, name: str, path: str) -> None:
    visitor.page.goto(path)

    look(visitor.page, name)


def test_account_with_linked_accounts_is_fit_for_everybody(
    visitor: Visitor, server: Server
) -> None:
    sign_up_with(visitor, server, links_github, links_others)
    visitor.page.goto("/account?linked=github#linked-accounts")

    expect(rows(visitor, "identities")).to_have_count(3)
    expect(visitor.page.get_by_text("GitHub is linked.")).to_be_visible()
    look(visitor.page, "account-linked")


def test_account_without_a_passkey_is_fit_for_everybody(visitor: Visitor, server: Server) -> None:
    sign_up_with(visitor, server, links_github, has_no_passkey, lost_its_address)
    visitor.page.goto("/account?confirmed=github")

    expect(visitor.page.get_by_text("You have no passkey yet.")).to_be_visible()
    expect(visitor.page.get_by_text("GitHub has confirmed that it is you.")).to_be_visible()
    look(visitor.page, "account-no-passkey")


def test_continuing_elsewhere_needs_neither_script_nor_passkeys(
    visitor: Visitor, new_visitor: NewVisitor
) -> None:
    plain = new_visitor(java_script_enabled=False)
    old = new_visitor(script="delete window.PublicKeyCredential;")
    for somebody in (visitor, plain, old):
        somebody.page.goto("/sign-in?return_to=/docs")
        somebody.page.get_by_role("link", name="Continue with GitHub").focus()
        somebody.page.keyboard.press("Enter")

        somebody.page.wait_for_url(AT_GITHUB)


def test_link_leaves_for_the_provider(visitor: Visitor, server: Server) -> None:
    sign_up_with(visitor, server)

    visitor.press("Link GitHub")

    visitor.page.wait_for_url(AT_GITHUB)


def test_unlinked_account_leaves_the_list(visitor: Visitor, server: Server) -> None:
    sign_up_with(visitor, server, links_github, links_others)

    visitor.press("Unlink GitHub")
    visitor.press("Cancel", dialog(visitor))
    expect(rows(visitor, "identities")).to_have_count(3)
    visitor.press("Unlink GitHub")
    visitor.press("Unlink", dialog(visitor))

    expect(visitor.message).to_have_text("Unlinked: GitHub.")
    expect(visitor.page.locator("#linked-accounts-title")).to_be_focused()
    visitor.page.reload()
    expect(rows(visitor, "identities")).to_have_count(2)


def test_last_way_in_is_kept_and_the_reason_told(visitor: Visitor, server: Server) -> None:
    sign_up_with(visitor, server, links_github, has_no_passkey)

    visitor.press("Unlink GitHub")
    visitor.press("Unlink", dialog(visitor))

    expect(visitor.message).to_contain_text("This is the last way into your account.")
    expect(rows(visitor, "identities")).to_have_count(1)


def test_step_up_without_a_passkey_leads_to_a_linked_provider(
    visitor: Visitor, server: Server
) -> None:
    sign_up_with(visitor, server, links_github, has_no_passkey)
    make_time_pass(server)

    visitor.press("Link GitLab")
    expect(dialog(visitor).get_by_role("button", name="Continue with")).to_have_count(1)
    look(visitor.page, "account-step-up-elsewhere")
    visitor.page.keyboard.press("Escape")
    expect(dialog(visitor)).to_be_hidden()
    link = visitor.page.get_by_role("button", name="Link GitLab")
    expect(link).to_be_focused()
    # A press while the page is still busy with the one before counts for nothing.
    expect(link).not_to_have_attribute("aria-busy", "true")
    visitor.press("Link GitLab")
    visitor.press("Continue with GitHub", dialog(visitor))

    visitor.page.wait_for_url(AT_GITHUB)


def test_new_passkey_is_what_a_step_up_asks_for(visitor: Visitor, server: Server) -> None:
    sign_up_with(visitor, server, links_github, has_no_passkey)
    hint = visitor.page.locator("[data-passkey-hint]")
    expect(hint).to_be_visible()

    add_passkey(visitor)
    expect(hint).to_be_hidden()
    make_time_pass(server)
    visitor.press("Link GitLab")
    expect(dialog(visitor).get_by_role("button", name="Use your passkey")).to_be_visible()
    visitor.press("Cancel", dialog(visitor))

    visitor.press("Remove", rows(visitor, "passkeys"))
    visitor.press("Remove passkey", dialog(visitor))
    visitor.press("Use your passkey", dialog(visitor))
    expect(visitor.message).to_have_text("Passkey removed.")
    expect(hint).to_be_visible()
