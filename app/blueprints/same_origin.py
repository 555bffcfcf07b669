"""Proof that a page of the right origin made a request, for whatever changes something."""

from flask import request

from app.blueprints import current
from app.errors import CrossSiteRequest
from app.services.access import SAFE_METHODS


def require_proof(origin: str) -> None:
    """Ask a state change for proof that a page of this origin made it.

    Browsers say so in Sec-Fetch-Site, older ones in Origin. A client that sends neither, and no
    cookie of ours, is no browser whose cookie could be abused. Raises ``CrossSiteRequest``.
    """
    if request.method in SAFE_METHODS:
        return
    site, given = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if given is not None and given != origin:
        raise CrossSiteRequest(reason="foreign Origin")
    if site is not None and site != "same-origin":
        raise CrossSiteRequest(reason=f"Sec-Fetch-Site is {site[:20]}")
    has_cookie = current.session_token() is not None or current.browser_token() is not None
    if site is None and given is None and has_cookie:
        raise CrossSiteRequest(reason="a cookie without proof of origin")
