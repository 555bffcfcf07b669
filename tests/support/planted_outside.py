"""Outside accounts on the day: linked, used, renewed and unlinked; refused, and failed.

The providers run beside the service and know what they were asked and gave out, which is planted.
"""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from tests.support.github_peer import GitHubEmail, github_peer
from tests.support.hostile_provider import hostile_provider
from tests.support.lie import Lie
from tests.support.loopback_http import Question
from tests.support.outages import database_away
from tests.support.outside_accounts import linked, refused, went_on
from tests.support.outsiders import Outsiders, somebody, to_link, to_sign_in, to_step_up
from tests.support.planted_day import Day
from tests.support.planted_echoes import echoes, truth
from tests.support.planted_secrets import Kind, Planted
from tests.support.planted_tokens import SHORT_LIFE_SECONDS, renew
from tests.support.planted_trouble import changed

_FRAGMENT = 40


@contextmanager
def parties(planted: Planted) -> Iterator[Outsiders]:
    """Run providers of the day's own; whatever they are asked is planted."""
    secret = secrets.token_urlsafe(32)
    with (
        github_peer() as github,
        github_peer() as ghe,
        hostile_provider(client_secret=secret) as hostile,
    ):
        made = Outsiders(github=github, ghe=ghe, hostile=hostile)
        planted.plant(Kind.CLIENT_SECRET, secret, *(peer.client.secret for peer in (github, ghe)))
        planted.overhear = partial(_overhear, made, planted)
        yield made


def variables_of(outsiders: Outsiders) -> dict[str, str]:
    """Give the variables that switch them on; the service keeps the tokens of all of them."""
    return {
        **outsiders.variables(),
        "OAUTH_GHE_STORE_TOKENS": "1",
        "OAUTH_GHE_REVOCATION_ENDPOINT": f"{outsiders.ghe.origin}/nowhere",
        "OAUTH_HOSTILE_STORE_TOKENS": "1",
    }


def _overhear(outsiders: Outsiders, planted: Planted) -> None:
    for peer in (outsiders.github, outsiders.ghe, outsiders.hostile):
        asked, peer.questions = peer.questions, []
        for question in asked:
            for kind, secret in _secrets_in(question):
                planted.plant(kind, secret)


def _secrets_in(asked: Question) -> Iterator[tuple[Kind, str]]:
    kinds = {
        "code": Kind.CODE,
        "code_verifier": Kind.VERIFIER,
        "client_secret": Kind.CLIENT_SECRET,
        "refresh_token": Kind.PROVIDER_REFRESH,
    }
    for name, kind in kinds.items():
        if asked.form.get(name):
            yield kind, asked.form[name]
    match asked.headers.get("authorization", "").partition(" "):
        case ("Basic", _, _):
            # What comes first is the client's id, which everybody may know.
            yield Kind.CLIENT_CREDENTIALS, asked.headers["authorization"][-_FRAGMENT:]
        case ("Bearer" | "token", _, token):
            yield Kind.PROVIDER_ACCESS, token


def go_out(day: Day) -> None:
    """Go through everything that outside accounts are for."""
    outsiders, browser = day.outsiders, day.browser()
    hostile, account = outsiders.hostile, somebody()
    address = GitHubEmail(email=f"octocat-{account.id}@example.org", primary=True)
    outsiders.github.account = type(account)(**{**vars(account), "emails": (address,)})
    outsiders.ghe.account = somebody()
    hostile.lie, hostile.expires_in = truth(day.planted), SHORT_LIFE_SECONDS
    hostile.person = {"sub": secrets.token_urlsafe(32)}

    callback = day.visit(to_sign_in(browser))
    assert went_on(browser.get(callback))
    for repeated in (browser, day.browser()):
        assert refused(repeated.get(callback)) == "authorization_request_unusable"
    for name in ("hostile", "ghe"):
        assert went_on(browser.get(day.visit(to_link(browser, name))))
    assert went_on(browser.get(day.visit(to_step_up(browser, "hostile"))))
    assert browser.get("/account").status_code == 200
    renew(day, browser)
    # The last step-up was at the second: once that is unlinked, the session changes nothing more.
    for one in reversed(linked(browser)):
        if one["provider"] != "github":
            assert browser.delete(f"/api/oauth/accounts/{one['id']}").status_code == 204
    assert hostile.revoked


def be_refused(day: Day) -> None:
    """Come back from a provider that repeats what it knows, and from one that says no."""
    outsiders = day.outsiders
    for lie in echoes(day.planted):
        outsiders.hostile.lie = lie
        _expect(day, "hostile", lie)
    outsiders.hostile.lie = truth(day.planted)
    outsiders.github.denies = True
    _expect(day, "github", Lie(name="no", covers=(), expected="authorization_denied"))
    outsiders.github.denies = False


def _expect(day: Day, provider: str, lie: Lie) -> None:
    browser = day.browser()
    answer = browser.get(day.visit(to_sign_in(browser, provider)))
    assert refused(answer) == lie.expected, lie
    page = browser.get(answer.headers["Location"])
    assert page.status_code >= 400, lie


def fail(day: Day) -> None:
    """Come back while the database is wrong, or away: 500 and 503."""
    rename = "ALTER TABLE {} RENAME COLUMN {} TO {}"
    wrong = [
        changed(day, rename.format(table, name, "mislaid"), rename.format(table, "mislaid", name))
        for table, name in (("oauth_sessions", "redirect_uri"), ("oauth_providers", "provider_id"))
    ]
    if day.storage.superuser:
        wrong.append(database_away(day.deployment.app))
    else:
        spoil = "UPDATE users SET profile = '{}'"
        wrong.append(changed(day, spoil.format("{"), spoil.format("{}")))
    met = {_come_back_while(one, day) for one in wrong}
    assert met == {500, 503}, met
    day.deployment.server.await_ready(10)


def _come_back_while(wrong: AbstractContextManager[None], day: Day) -> int:
    browser = day.browser()
    callback = day.visit(to_sign_in(browser))
    with wrong:
        return browser.get(callback).status_code
