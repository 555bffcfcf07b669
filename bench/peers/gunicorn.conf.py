"""How gunicorn serves the Flask and Django peers: as it serves this service."""

import os

workers = 1
worker_class = "gthread"
# As many as the service has: THREADS, those that wait, and one more.
threads = int(os.environ["BENCH_THREADS"])
preload_app = True
keepalive = 75
timeout = 30
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
control_socket_disable = True
