"""My linked accounts: which providers there are, link, show again that it is me, unlink."""

import structlog
from flask import url_for

from app.blueprints import current
from app.blueprints.guards import Level, Reply, Unit, operation
from app.blueprints.oauth import round_trips
from app.blueprints.oauth.routes import blueprint
from app.blueprints.oauth.schemas import (
    BeginReauthentication,
    LinkedAccount,
    LinkedAccounts,
    ListedProvider,
    Location,
    ProviderList,
)
from app.blueprints.return_paths import return_path
from app.blueprints.schemas import Nothing, PageQuery, cursor
from app.errors import LastWayIn, NotFound, PasskeyRequired, ProviderUnavailable
from app.extensions import db
from app.services import identities, ways_in
from app.services.identities import Unlinked
from app.transaction import with_transaction

_log = structlog.get_logger(__name__)


@blueprint.get("/providers")
@operation(Level.PUBLIC, Unit.NONE, answer=ProviderList)
def list_providers() -> ProviderList:
    """List the identity providers that people may sign in with."""
    providers = current.settings().providers
    return ProviderList(items=[ListedProvider.model_validate(one) for one in providers])


@blueprint.post("/<provider:provider>/link")
@operation(
    Level.STEP_UP,
    Unit.NONE,
    body=Nothing,
    answer=Location,
    refusals=(NotFound, ProviderUnavailable),
)
def begin_link(provider: str, body: Nothing) -> Location:  # noqa: ARG001 - checked to be empty
    """Begin to link my account at a provider; answers where to go for it."""
    page = url_for("pages.show_account", linked=provider, _anchor="linked-accounts")
    location = round_trips.begin(
        current.identity_provider(provider), purpose="link", return_to=page
    )
    return Location(location=location)


@blueprint.post("/<provider:provider>/reauthenticate")
@operation(
    Level.SIGNED_IN,
    Unit.NONE,
    body=BeginReauthentication,
    answer=Location,
    refusals=(NotFound, PasskeyRequired, ProviderUnavailable),
)
def begin_outside_reauthentication(provider: str, body: BeginReauthentication) -> Location:
    """Begin to show again, by an account that I linked, that it is me: without a passkey only."""
    at = current.identity_provider(provider)
    user_id = current.active_session().person.id
    issuer = at.settings.issuer
    with_transaction(lambda _session: _require_no_passkey(user_id, issuer), writes=False)
    page = url_for("pages.show_account", confirmed=provider)
    location = round_trips.begin(
        at, purpose="step_up", return_to=return_path(body.return_to, default=page)
    )
    return Location(location=location)


@blueprint.get("/accounts")
@operation(Level.SIGNED_IN, query=PageQuery, answer=LinkedAccounts)
def list_accounts(query: PageQuery) -> LinkedAccounts:
    """List my linked accounts in the order in which they were linked."""
    rows = identities.list_identities(
        db.session(),
        user_id=current.active_session().person.id,
        providers=current.settings().providers,
        after=query.after,
        limit=query.limit + 1,
    )
    items, next_cursor = cursor(list(rows), query.limit)
    return LinkedAccounts(
        items=[LinkedAccount.model_validate(one) for one in items], next=next_cursor
    )


@blueprint.delete("/accounts/<id:id>")
@operation(Level.STEP_UP, Unit.WRITES, status=204, refusals=(LastWayIn, NotFound))
def unlink_account(id: str) -> Reply:  # noqa: A002 - the path's name for it
    """Unlink one of my accounts, unless it is the last way into mine here."""
    active = current.active_session()
    unlinked = identities.unlink(
        db.session(),
        user_id=active.person.id,
        row_id=id,
        keep=active.id,
        issuers=current.settings().open_issuers,
        sealer=current.sealer(),
    )
    return Reply(afterwards=lambda: _revoke(unlinked))


def _require_no_passkey(user_id: str, issuer: str) -> None:
    identities.require_identity_at(db.session(), user_id=user_id, issuer=issuer)
    if ways_in.has_passkey(db.session(), user_id):
        raise PasskeyRequired


def _revoke(unlinked: Unlinked) -> None:
    """Ask the provider to take its tokens back; the account is unlinked whatever it answers."""
    provider = current.find_identity_provider(unlinked.issuer)
    if provider is None:
        return
    budget = provider.new_budget()
    for token in unlinked.tokens:
        try:
            provider.revoke(token=token, budget=budget)
        except ProviderUnavailable as error:
            _log.warning("tokens_not_revoked", issuer=unlinked.issuer, reason=error.reason)
            return
