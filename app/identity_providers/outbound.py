"""Requests to a provider: over checked connections, in time, and no more than can be read."""

import http.client
import io
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import HTTPError

from app.config.oauth import ProviderSettings
from app.errors import ProviderUnavailable

from .addresses import reach_of
from .call_slots import CallSlots
from .connections import PlainPool, TLSPool, connect
from .deadline import Deadline
from .failures import UnacceptableAnswer, explain
from .limits import CALLS_TO_ALL_AT_ONCE, Budget, Limits

FAILURES = (HTTPError, http.client.HTTPException, OSError, ValueError)
"""Whatever a call can end in but an answer."""

_slots_for_all = CallSlots(CALLS_TO_ALL_AT_ONCE, patience_seconds=Limits.wait_seconds)


class Outbound:
    """The way out to one provider; raises ProviderUnavailable for whatever goes wrong on it."""

    def __init__(self, settings: ProviderSettings, limits: Limits) -> None:
        self.limits = limits
        self.settings = settings
        self.reach = reach_of(settings)
        self._slots = CallSlots(limits.calls_at_once, patience_seconds=limits.wait_seconds)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Certificates are always verified; the settings may say by which others."""
        context = ssl.create_default_context(cafile=str(self.settings.ca_file or certifi.where()))
        # Some builds of Python leave it to the system's policy.
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def get(self, url: str, *, budget: Budget, headers: Mapping[str, str]) -> requests.Response:
        """Send a GET request and return the whole answer, whatever its status but a redirect."""
        with requests.Session() as session, self.protected(session, budget):
            return session.get(url, headers=dict(headers))

    @contextmanager
    def protected(self, session: requests.Session, budget: Budget) -> Iterator[None]:
        """Let the session reach the provider in no other way than this module's."""
        session.trust_env = False
        session.headers["User-Agent"] = "openbadges-system"
        for prefix in ("https://", "http://"):
            session.mount(prefix, CheckedAdapter(self, budget))
        try:
            yield
        except (requests.RequestException, ValueError) as error:
            reason = f"the request could not be made ({type(error).__name__})"
            # Without its cause, whose text may hold an address or a header.
            raise ProviderUnavailable(reason=reason) from None

    @contextmanager
    def slot(self, budget: Budget) -> Iterator[None]:
        """Take one of the few slots, so that a stalled provider cannot hold every thread."""
        reason = "too many calls to it are under way already"
        with self._slots.taken(wait=budget.left, reason=reason):
            reason = "too many calls to providers are under way already"
            with _slots_for_all.taken(wait=budget.left, reason=reason):
                yield


class CheckedAdapter(HTTPAdapter):
    """Sends each request over a new connection, without proxies, redirects and retries."""

    def __init__(self, outbound: Outbound, budget: Budget) -> None:
        super().__init__()
        self._outbound = outbound
        self._budget = budget

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401 - a session's own wishes count for nothing
        """Return an answer that is complete; raises ProviderUnavailable."""
        seconds = min(self._outbound.limits.call_seconds, self._budget.left)
        with self._outbound.slot(self._budget), Deadline(seconds) as deadline:
            try:
                return self._exchange(request, deadline)
            except FAILURES as error:
                host = urlsplit(request.url or "").hostname
                reason = explain(error, self._outbound.settings, deadline)
                # Without its cause, whose text may repeat the answer, and that the request.
                raise ProviderUnavailable(reason=f"{host}: {reason}") from None

    def _exchange(self, request: requests.PreparedRequest, deadline: Deadline) -> requests.Response:
        request.headers["Accept-Encoding"] = "identity"
        request.headers["Connection"] = "close"
        seconds = self._outbound.limits.read_seconds
        with closing(self._pool(request, deadline)) as pool:
            raw = pool.urlopen(
                request.method or "GET",
                request.path_url,
                body=request.body,
                headers=request.headers,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                retries=False,
                timeout=Timeout(connect=seconds, read=seconds),
            )
            with closing(raw):
                body = self._read(raw, deadline)
        response = self.build_response(request, raw)
        response.raw = io.BytesIO(body)
        return response

    def _pool(self, request: requests.PreparedRequest, deadline: Deadline) -> PlainPool | TLSPool:
        target = urlsplit(request.url or "")
        is_plain = target.scheme != "https"
        dial = partial(
            connect,
            reach=self._outbound.reach,
            plain=is_plain,
            deadline=deadline,
            seconds=self._outbound.limits.read_seconds,
        )
        host = target.hostname or ""
        if is_plain:
            return PlainPool(host, target.port, dial=dial)
        tls = self._outbound.tls
        return TLSPool(host, target.port, ssl_context=tls, cert_reqs="CERT_REQUIRED", dial=dial)

    def _read(self, raw: BaseHTTPResponse, deadline: Deadline) -> bytes:
        if http.HTTPStatus.MULTIPLE_CHOICES <= raw.status < http.HTTPStatus.BAD_REQUEST:
            raise UnacceptableAnswer("it redirects, which is not followed")
        if raw.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise UnacceptableAnswer("its answer is encoded, which was not asked for")
        longest = self._outbound.limits.body_bytes
        body = raw.read(longest + 1, decode_content=False)
        if len(body) > longest:
            raise UnacceptableAnswer(f"its answer is longer than {longest} bytes")
        if deadline.has_passed:
            raise TimeoutError
        return body
