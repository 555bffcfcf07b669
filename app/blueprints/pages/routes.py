"""The pages: lists and forms for people. What they change, they change through the API.

A page that may begin a ceremony before anything else marks the browser: two calls that it makes
side by side, or that two tabs make, would else each be given a mark of their own, and the ceremony
of the first would no longer be this browser's.
"""

from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.blueprints import current
from app.blueprints.guards import Level, Unit, guard
from app.blueprints.pages.applications import find_next_application, find_refusing_application
from app.blueprints.pages.languages import languages_for
from app.blueprints.pages.moments import rfc3339, utc_day, utc_words
from app.blueprints.pages.outside import find_provider, refusal_by_code
from app.blueprints.return_paths import ON_OTHER_HOSTS, return_path
from app.errors import NotAllowed, NotFound
from app.extensions import db
from app.models import UserSession
from app.services import credentials, identities, recovery, sessions, ways_in
from app.statuses import status_of

blueprint = Blueprint("pages", __name__)
blueprint.add_app_template_filter(rfc3339)
blueprint.add_app_template_filter(utc_day)
blueprint.add_app_template_filter(utc_words)

_MOST_LISTED = 100


@blueprint.app_context_processor
def name_service() -> dict[str, object]:
    """Give every template the name and the address that the operator chose."""
    settings = current.settings()
    return {
        "service_name": settings.rp_name,
        "public_origin": settings.public_origin,
        # On an application's host nothing but what begins so is ours.
        "is_elsewhere": (is_elsewhere := _is_elsewhere()),
        "files": f"{ON_OTHER_HOSTS}static" if is_elsewhere else "/static",
        "home": f"{settings.public_origin}/" if is_elsewhere else "/",
    }


@blueprint.get("/")
@guard(Level.PUBLIC, Unit.NONE)
def show_start() -> ResponseReturnValue:
    """Lead people to where they can do something."""
    active = current.find_session()
    if active is None:
        return redirect(url_for("pages.show_sign_in"))
    page = "pages.show_recovery" if active.purpose == "enrol" else "pages.show_account"
    return redirect(url_for(page))


@blueprint.get("/sign-in")
@guard(Level.PUBLIC, Unit.NONE)
def show_sign_in() -> ResponseReturnValue:
    """Show the sign-in page, or go on where somebody is signed in already."""
    current.mark_browser()
    active = current.find_session()
    if active is not None and active.purpose == "full":
        return redirect(_return_path())
    return render_template(
        "sign_in.html",
        return_to=_return_path(),
        application=find_next_application(),
        providers=current.settings().providers,
    )


@blueprint.get("/sign-up")
@guard(Level.PUBLIC, Unit.NONE)
def show_sign_up() -> ResponseReturnValue:
    """Show the page that creates an account."""
    current.mark_browser()
    active = current.find_session()
    return render_template(
        "sign_up.html",
        return_to=_return_path(),
        application=find_next_application(),
        person=active.person if active else None,
        registration=current.settings().registration.value,
        providers=current.settings().providers,
    )


@blueprint.get("/sign-in/refused")
@guard(Level.PUBLIC, Unit.NONE)
def show_refusal() -> ResponseReturnValue:
    """Show why a round trip to a provider ended without what it was for."""
    refusal = refusal_by_code(request.args.get("code"))
    if refusal is None:
        raise NotFound
    provider = find_provider(current.settings().providers, request.args.get("provider"))
    active = current.find_session()
    page = render_template(
        "refused.html",
        code=refusal.code,
        detail=refusal.sentence,
        label=provider.label if provider else None,
        provider=provider.name if provider else None,
        status=(status := status_of(refusal)),
        title=HTTPStatus(status).phrase,
        return_to=_return_path(),
        is_signed_in=active is not None and active.purpose == "full",
    )
    return page, status


@blueprint.get("/recovery")
@guard(Level.PUBLIC, Unit.NONE)
def show_recovery() -> ResponseReturnValue:
    """Show the page that takes a recovery code, or its second step where one was taken."""
    current.mark_browser()
    active = current.find_session()
    enrolling = active is not None and active.purpose == "enrol"
    return render_template(
        "recovery.html", enrolling=enrolling, person=active.person if active else None
    )


@blueprint.get("/account")
@guard(Level.SIGNED_IN)
def show_account() -> ResponseReturnValue:
    """Show my profile, passkeys, linked accounts, sessions and recovery codes."""
    active = current.active_session()
    person, session = active.person, db.session()
    providers = current.settings().providers
    linked = find_provider(providers, request.args.get("linked"))
    confirmed = find_provider(providers, request.args.get("confirmed"))
    return render_template(
        "account.html",
        providers=providers,
        identities=identities.list_identities(session, user_id=person.id, providers=providers),
        linked=linked.label if linked else None,
        confirmed=confirmed.label if confirmed else None,
        has_passkey=ways_in.has_passkey(session, person.id),
        session_authenticated_with=active.authenticated_with,
        recency_unknown=active.authenticated_with.startswith(sessions.OUTSIDE)
        and active.auth_time is None,
        person=person,
        languages=languages_for(person.locale),
        passkeys=credentials.list_credentials(session, user_id=person.id),
        sessions=_mine_first(
            sessions.list_sessions(session, user_id=person.id, after=None, limit=_MOST_LISTED),
            current_id=active.id,
        ),
        current_session_id=active.id,
        codes=recovery.remaining_codes(session, user_id=person.id),
    )


@blueprint.get("/not-allowed")
@guard(Level.PUBLIC, Unit.NONE)
def show_not_allowed() -> ResponseReturnValue:
    """Tell a person that an application, or a part of it, is not for their account."""
    active = current.find_session()
    if active is None:
        return redirect(url_for("pages.show_sign_in", return_to=_return_path()))
    application = find_refusing_application(active.person.id)
    page = render_template(
        "not_allowed.html",
        name=application.name if application else None,
        lets_in=application.lets_in if application else True,
        person=active.person,
        return_to=_return_path(),
    )
    return page, status_of(NotAllowed)


def _return_path() -> str:
    return return_path(request.args.get("return_to"), default=url_for("pages.show_account"))


def _is_elsewhere() -> bool:
    host = request.environ.get("HTTP_HOST", "").lower()
    return current.is_at_application() and host not in current.settings().hosts


def _mine_first(rows: Sequence[UserSession], *, current_id: str) -> list[UserSession]:
    recent = sorted(rows, key=lambda row: row.last_seen_at, reverse=True)
    return sorted(recent, key=lambda row: row.id != current_id)
