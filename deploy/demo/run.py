"""The whole platform on this machine: the service, its gate, nginx, and two applications.

    deploy/demo/run              or: deploy/demo/run --port 9000

Plain http on names under localhost, as only development accepts; everything else is as in
production, with the same files of deploy/nginx. What people make in it stays in instance/demo/.
Ctrl-C stops it all.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from deploy.demo.application import Application
from deploy.demo.nginx_files import ROOT, find_nginx, lay_out

START_SECONDS = 30
LONGEST_SOCKET_PATH_BYTES = 90
APPLICATIONS = {
    "wiki": ("The wiki", []),
    "staff": ("Staff only", ["--group", "staff"]),
}


def main() -> None:
    """Start everything, tell where it is, and stop it when asked to."""
    arguments = argparse.ArgumentParser(description="Run the whole platform on loopback.")
    arguments.add_argument("--port", type=int, default=8080, help="where nginx listens")
    arguments.add_argument("--folder", type=Path, default=ROOT / "instance" / "demo")
    port, folder = (asked := arguments.parse_args()).port, asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with ExitStack() as stack:
            _run(stack, folder, port)
    except KeyboardInterrupt:
        print("\nStopped.")  # noqa: T201 - this is a command
    except subprocess.CalledProcessError as error:
        sys.exit(f"openbadges-system: {error.stderr or error}")


def _run(stack: ExitStack, folder: Path, port: int) -> None:
    variables = _environment(folder, port)
    _flask(variables, "db", "upgrade")
    _register(variables, port)
    neighbours = {f"{title}": _origin(name, port) for name, (title, _) in APPLICATIONS.items()}
    neighbours["Your account"] = f"http://localhost:{port}/account"
    addresses = {
        name: stack.enter_context(_served(Application(title, neighbours)))
        for name, (title, _) in APPLICATIONS.items()
    }
    sites = {
        name: _flask(variables, "apps", "nginx", name, "--to", address, "--listen", "127.0.0.1")
        for name, address in addresses.items()
    }
    lay_out(folder, port=port, applications=sites)
    programs = {
        "service": [sys.executable, "-m", "gunicorn", "wsgi:app"],
        "gate": [sys.executable, "-m", "flask", "gate"],
        "nginx": [find_nginx(), "-p", str(folder), "-c", str(folder / "nginx.conf")],
    }
    running = {
        name: stack.enter_context(_running(command, variables, folder / f"{name}.log"))
        for name, command in programs.items()
    }
    _await(running, [folder / "web.sock", folder / "gate.sock", folder / "nginx.pid"], folder)
    _tell(variables, port, folder)
    while all(process.poll() is None for process in running.values()):
        time.sleep(0.5)
    sys.exit(f"openbadges-system: a part ended by itself; its log is in {folder}.")


def _environment(folder: Path, port: int) -> dict[str, str]:
    for name in ("web.sock", "gate.sock", "nginx.pid"):
        (folder / name).unlink(missing_ok=True)
    if len(str(folder).encode()) > LONGEST_SOCKET_PATH_BYTES:
        sys.exit(f"openbadges-system: {folder} is too long a path for a socket.")
    # What else is set was not meant for this.
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **own,
        "FLASK_APP": "app:create_command_app",
        "APP_ENV": "development",
        "REGISTRATION": "open",
        "PUBLIC_ORIGIN": f"http://localhost:{port}",
        "DB_TYPE": "sqlite",
        "SQLITE_FILE": str(folder / "openbadges.db"),
        "BIND": f"unix:{folder / 'web.sock'}",
        "GATE_BIND": f"unix:{folder / 'gate.sock'}",
        "TRUSTED_PROXIES": "1",
    }


def _register(variables: Mapping[str, str], port: int) -> None:
    known = _flask(variables, "apps", "list")
    for name, (title, more) in APPLICATIONS.items():
        where = ["--origin", _origin(name, port)]
        if any(line.split()[0] == name for line in known.splitlines()):
            _flask(variables, "apps", "change", name, *where)
        else:
            _flask(variables, "apps", "add", name, "--name", title, *where, *more)


def _origin(name: str, port: int) -> str:
    return f"http://{name}.localhost:{port}"


def _flask(variables: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "flask", *arguments]
    done = subprocess.run(  # noqa: S603 - the project's own
        command, cwd=ROOT, env=dict(variables), capture_output=True, text=True, check=True
    )
    return done.stdout


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
        """Say nothing."""


@contextmanager
def _served(application: Application) -> Iterator[str]:
    """Serve an application on a free port until the block ends; give its address."""
    server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def _running(
    command: list[str], variables: Mapping[str, str], log_file: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log_file.open("wb") as log:
        # In a group of its own, so that Ctrl-C reaches it through us alone.
        process = subprocess.Popen(  # noqa: S603 - as above
            command,
            cwd=ROOT,
            env=dict(variables),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _await(running: Mapping[str, subprocess.Popen[bytes]], files: list[Path], folder: Path) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while not all(file.exists() for file in files):
        for name, process in running.items():
            if process.poll() is not None:
                log = (folder / f"{name}.log").read_text(errors="replace")
                sys.exit(f"openbadges-system: {name} did not start:\n{log}")
        if time.monotonic() > give_up_at:
            sys.exit(f"openbadges-system: not everything started; the logs are in {folder}.")
        time.sleep(0.1)


def _tell(variables: Mapping[str, str], port: int, folder: Path) -> None:
    print(_flask(variables, "welcome").rstrip())  # noqa: T201
    print("Behind it:")  # noqa: T201
    print(f"  {_origin('wiki', port)}/    for everybody who is signed in")  # noqa: T201
    print(f"  {_origin('staff', port)}/   for the group staff, which somebody joins by")  # noqa: T201
    print(f"    {_command(folder, port)} users groups ADDRESS_OR_ID --add staff")  # noqa: T201
    print("Ctrl-C stops it all.", flush=True)  # noqa: T201


def _command(folder: Path, port: int) -> str:
    file = folder / "openbadges.db"
    where = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    settings = f"APP_ENV=development PUBLIC_ORIGIN=http://localhost:{port} SQLITE_FILE={where}"
    return f"{settings} .venv/bin/flask"


if __name__ == "__main__":
    main()
