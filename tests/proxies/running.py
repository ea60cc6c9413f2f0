"""Caddy, nginx and HAProxy as packaged, each in front of the platform with its connections kept open."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from agentmessage.embedded.ports import free_port
from tests.proofs.running import until

# ruff: noqa: S603, ASYNC220 - programs that the tests look for themselves, and starting one takes a moment only

DOCS = Path(__file__).parents[2] / "docs" / "operations" / "proxy.md"
Configure = Callable[[Path, int, int], Sequence[str]]
"""Writes a configuration into a folder, for a port to listen on and a port behind; answers the command."""


def found(name: str) -> str | None:
    """Where a program is; servers are not on everybody's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def caddy(folder: Path, port: int, behind: int) -> Sequence[str]:
    """As its own documentation has it."""
    return run_caddy(folder, f"http://:{port} {{\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:{behind}\n}}\n")


def run_caddy(folder: Path, sites: str) -> Sequence[str]:
    """Caddy with these sites."""
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + sites)
    return [found("caddy") or "", "run", "--config", str(file), "--adapter", "caddyfile"]


def nginx(folder: Path, port: int, behind: int) -> Sequence[str]:
    """With the lines that everybody copies for websockets, nothing buffered, and connections kept."""
    return run_nginx(
        folder,
        f"""
map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
upstream platform {{ server 127.0.0.1:{behind}; keepalive 4; }}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://platform;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_buffering off;
        proxy_request_buffering off;
    }}
}}
""",
    )


def run_nginx(folder: Path, http: str) -> Sequence[str]:
    """One worker of nginx with this inside `http`."""
    file = folder / "nginx.conf"
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{place}_temp_path {folder / place};" for place in places)
    user = "user root;" if os.geteuid() == 0 else ""
    file.write_text(
        f"{user} daemon off; worker_processes 1; pid {folder / 'nginx.pid'}; error_log {folder / 'error.log'};\n"
        f"events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{temporary}\n{http}\n}}\n"
    )
    return [found("nginx") or "", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file)]


def haproxy(folder: Path, port: int, behind: int) -> Sequence[str]:
    """With every connection shared by everybody."""
    file = folder / "haproxy.cfg"
    file.write_text(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        "  http-reuse always\n  option forwardfor\n"
        f"frontend all\n  bind 127.0.0.1:{port}\n  default_backend platform\n"
        f"backend platform\n  server one 127.0.0.1:{behind}\n"
    )
    return [found("haproxy") or "", "-db", "-f", str(file)]


PROXIES: dict[str, Configure] = {"caddy": caddy, "nginx": nginx, "haproxy": haproxy}


@asynccontextmanager
async def in_front(configure: Configure, folder: Path, behind: int) -> AsyncGenerator[int]:
    """A proxy that listens by now; answers its port."""
    port = free_port("127.0.0.1", None)
    command = configure(folder, port, behind)
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "said.log").open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)

    async def listens() -> bool:
        assert process.poll() is None, (folder / "said.log").read_text()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            return False
        writer.close()
        return True

    try:
        await until(listens, what=command[0])
        yield port
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:  # Caddy waits for connections that hang
            process.kill()
            process.wait(5)


def documented(language: str) -> str:
    """The block of the operating guide in a language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    return str(block)
