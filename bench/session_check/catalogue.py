"""The candidates, in the order of the tables."""

from dataclasses import replace

from bench.session_check.candidates import Answers, Candidate

_OURS = "session and person, one joined query"
_ROWS = "the session's row, then the person's row"
_SIGNED = "a signed cookie, then the person's row: no session can be ended by itself"
_CHECK = "/api/auth/session"
_HANDLER = Answers(refused=200, refusal="null")
_GET_SESSION = "/api/auth/get-session"

SQLITE = (
    Candidate(
        key="web",
        title="this service, wsgi:app under gunicorn",
        program="web",
        store="service",
        looks_up=_OURS,
        path=_CHECK,
        is_quick=True,
    ),
    Candidate(
        key="gate",
        title="this service, flask gate",
        program="gate",
        store="service",
        looks_up=_OURS,
        path=_CHECK,
        is_quick=True,
    ),
    Candidate(
        key="gate-verify",
        title="wsgi:gate, asked for headers (verify)",
        program="gate",
        store="service",
        looks_up=_OURS,
        path="/api/auth/verify",
        answers=Answers(accepted=204, person="header:X-Auth-Email"),
    ),
    Candidate(
        key="gate-unseen",
        title="wsgi:gate, all last seen a minute ago",
        program="gate",
        store="service_unseen",
        looks_up=f"{_OURS}; last-seen written in batches",
        path=_CHECK,
    ),
    Candidate(
        key="hello",
        title="bare WSGI hello under the same gunicorn",
        program="hello",
        store="service",
        looks_up="nothing",
        answers=Answers(refused=200, person="nowhere"),
        is_quick=True,
    ),
    Candidate(
        key="gate-hello",
        title="the same hello under the gate's server",
        program="gate-hello",
        store="service",
        looks_up="nothing",
        answers=Answers(refused=200, person="nowhere"),
    ),
    Candidate(
        key="flask-login",
        title="Flask-Login with Flask-SQLAlchemy",
        program="gunicorn",
        peer="flask_login",
        store="flask_login",
        looks_up=_SIGNED,
        is_quick=True,
    ),
    Candidate(
        key="flask-security",
        title="Flask-Security",
        program="gunicorn",
        peer="flask_security",
        store="flask_security",
        looks_up=_SIGNED,
        header_lines="Accept: application/json\r\n",
    ),
    Candidate(
        key="django",
        title="Django with allauth",
        program="gunicorn",
        peer="django_allauth",
        store="django_allauth",
        looks_up=_ROWS,
    ),
    Candidate(
        key="fastapi-users",
        title="FastAPI Users, database strategy",
        program="uvicorn",
        peer="fastapi_users",
        store="fastapi_users",
        looks_up=_ROWS,
    ),
    Candidate(
        key="better-auth",
        title="Better Auth on Node, its HTTP handler",
        program="serve.mjs",
        peer="node/better_auth",
        store="better_auth",
        looks_up=_ROWS,
        path=_GET_SESSION,
        answers=_HANDLER,
        environment={"BENCH_WAY": "handler"},
        is_quick=True,
    ),
    Candidate(
        key="better-auth-get-session",
        title="Better Auth on Node, getSession",
        program="serve.mjs",
        peer="node/better_auth",
        store="better_auth",
        looks_up=_ROWS,
        environment={"BENCH_WAY": "getSession"},
    ),
    Candidate(
        key="better-auth-cached",
        title="Better Auth on Node, its cookie cache",
        program="serve.mjs",
        peer="node/better_auth",
        store="better_auth_cached",
        looks_up="nothing: a signed cookie, good until it expires",
        environment={"BENCH_WAY": "getSession", "BENCH_COOKIE_CACHE": "1"},
    ),
    Candidate(
        key="hono-node",
        title="Hono with Kysely on Node",
        program="node.mjs",
        peer="node/hono_kysely",
        store="service",
        looks_up=_OURS,
    ),
    Candidate(
        key="hono-bun",
        title="Hono with Kysely on Bun",
        program="bun",
        peer="node/hono_kysely",
        store="service",
        looks_up=_OURS,
    ),
    Candidate(
        key="node",
        title="node:http with better-sqlite3, by hand",
        program="node.mjs",
        peer="node/by_hand",
        store="service",
        looks_up=_OURS,
        is_quick=True,
    ),
    Candidate(
        key="bun",
        title="Bun.serve with bun:sqlite, by hand",
        program="bun",
        peer="node/by_hand",
        store="service",
        looks_up=_OURS,
    ),
)


def _on_postgresql(of: str, title: str) -> Candidate:
    found = next(one for one in SQLITE if one.key == of)
    store = "service_postgresql" if found.store == "service" else f"{found.store}_postgresql"
    return replace(found, key=f"{of}-pg", title=title, store=store, is_quick=False)


POSTGRESQL = (
    _on_postgresql("web", "this service, wsgi:app under gunicorn"),
    _on_postgresql("gate", "this service, flask gate"),
    _on_postgresql("better-auth", "Better Auth on Node, its HTTP handler"),
    _on_postgresql("hono-node", "Hono with Kysely on Node"),
    _on_postgresql("node", "node:http with pg, by hand"),
)
"""Beside what they measure, the server of the database works on the load generator's core."""
