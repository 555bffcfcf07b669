"""The demo's nginx: the files that deploy/nginx ships, on plain http and on loopback."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "nginx"
NGINX = """\
daemon off;
{user}pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/temp/body;
    proxy_temp_path {folder}/temp/proxy;
    fastcgi_temp_path {folder}/temp/fastcgi;
    uwsgi_temp_path {folder}/temp/uwsgi;
    scgi_temp_path {folder}/temp/scgi;
    include conf.d/*.conf;
}}
"""
# What id.example.org.conf is, but for TLS.
IDENTITY = """\
server {{
    listen 127.0.0.1:{port};
    server_name localhost;
    include openbadges/server.conf;
    if ($http_host != localhost:{port}) {{
        return 421;
    }}
    location = /api/auth/verify {{
        return 404;
    }}
    location ^~ /.identity/ {{
        return 404;
    }}
    location / {{
        include openbadges/service.conf;
        proxy_pass http://openbadges_web;
    }}
}}
"""


def lay_out(folder: Path, *, port: int, applications: Mapping[str, str]) -> None:
    """Lay the folder out as /etc/nginx is; ``applications`` are printed sites by name."""
    for name in ("conf.d", "openbadges", "temp"):
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(SHIPPED / "openbadges", folder / "openbadges")
    (folder / "conf.d").mkdir()
    (folder / "temp").mkdir()
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    upstreams = "".join(
        f"upstream openbadges_{name} {{ server unix:{folder / name}.sock; keepalive 8; }}\n"
        for name in ("web", "gate")
    )
    sites = {
        "a-openbadges": f"{upstreams}include openbadges/maps.conf;\n",
        "identity": IDENTITY.format(port=port),
        **applications,
    }
    for name, text in sites.items():
        (folder / "conf.d" / f"{name}.conf").write_text(text)


def find_nginx() -> str:
    """Find the program, or end with the sentence that says where to get it."""
    found = subprocess.run(  # noqa: S603 - the project's own
        [ROOT / "bin" / "find-nginx"], stdout=subprocess.PIPE, check=False
    )
    if found.returncode:
        sys.exit(found.returncode)
    return found.stdout.decode().strip()
