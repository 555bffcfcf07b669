"""What the kernel says of a service's processes."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

MOST_GROWTH_BYTES = 20 * 1024 * 1024
"""By which no attack may make a worker larger."""
_CPUCLOCK_SCHED = 2


def cpu_seconds(pid: int) -> float:
    """Give the processor time that a process and its threads have used so far."""
    # The clock of another process, in the kernel's encoding of its id (clock_getcpuclockid(3)).
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def resident_bytes(pid: int) -> int:
    """Give what a process holds in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (size,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(size) * 1024


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Halt processes until the block ends."""
    halted = list(pids)
    for pid in halted:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in halted:
            os.kill(pid, signal.SIGCONT)


class Serving(Protocol):
    """A server with workers and a log."""

    def worker_pids(self) -> list[int]: ...

    def log(self) -> str: ...


@contextmanager
def unharmed_workers(server: Serving) -> Iterator[None]:
    """See that the same workers live when the block ends, hardly larger, and that all had work."""
    pids = server.worker_pids()
    before = {pid: resident_bytes(pid) for pid in pids}
    idle = {pid: cpu_seconds(pid) for pid in pids}
    yield
    assert server.worker_pids() == pids, server.log()[-2000:]
    growth = {pid: resident_bytes(pid) - before[pid] for pid in pids}
    assert max(growth.values()) <= MOST_GROWTH_BYTES, growth
    assert all(cpu_seconds(pid) > idle[pid] for pid in pids)
