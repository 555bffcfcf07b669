"""A connection to PostgreSQL that gives up on a server from which nothing comes any more.

The server's own time-outs end a statement that takes too long. They end nothing where the server
is stopped, or where the network swallows what is sent: neither libpq nor the kernel, whose
keep-alives a stopped server's kernel goes on answering, would ever give up.
"""

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

T = TypeVar("T")

_INTERVAL_SECONDS = 0.1


class PunctualConnection(psycopg.Connection[Any]):
    """Closes itself and raises ``OperationalError`` where no answer comes in time."""

    begin_seconds: float
    """How long the server may take to begin a transaction, or to answer the pool's ping."""
    statement_seconds: float
    """How long it may take for anything else."""

    def wait(
        self, gen: PQGen[T], interval: float = _INTERVAL_SECONDS, timeout: float | None = None
    ) -> T:
        """Wait for an answer, as psycopg does, but not for ever."""
        is_beginning = self.pgconn.transaction_status == TransactionStatus.IDLE
        longest = self.begin_seconds if is_beginning else self.statement_seconds
        seconds = longest if timeout is None else min(timeout, longest)
        give_up_at = time.monotonic() + seconds
        try:
            return super().wait(gen, interval, seconds)
        except psycopg.OperationalError as error:
            if self.closed or time.monotonic() < give_up_at:
                raise
            self.close()
            message = f"the server gave no answer in {seconds:g} seconds"
            raise psycopg.OperationalError(message) from error
