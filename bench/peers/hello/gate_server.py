"""The same under the gate's server."""

import os

from app.gate_server import serve
from bench.peers.hello.peer import app

serve(lambda: app, bind=f"127.0.0.1:{os.environ['GATE_PORT']}", workers=1, threads=0)
