"""What a proxy asks the session gate about a request, in process."""

from werkzeug.test import Client, TestResponse

from app.session_gate import SessionGate
from tests.support.people import SESSION_COOKIE


def ask(gate: SessionGate, token: str, query: str = "") -> TestResponse:
    """Check a request that carries this session's token; the query is the proxy's."""
    return Client(gate, use_cookies=False).get(
        "/api/auth/verify", query_string=query, headers={"Cookie": f"{SESSION_COOKIE}={token}"}
    )
