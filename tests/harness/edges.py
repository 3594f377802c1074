"""Real servers in front of a shop: nginx, Varnish, Apache, Caddy and PHP, with configurations out of docs/."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest

from harness.process import without_settings

START_SECONDS = 30
STOP_SECONDS = 20
ATTEMPTS = 3
"""Of starting: between finding a free port and listening on it, somebody else may take it."""

SYSTEM_PATH = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin"
"""Distributions keep servers out of a user's PATH."""


def program(name):
    """Where a server's program is, or None; ``php-fpm`` carries its version in its name."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    found = shutil.which(name, path=path)
    if found is None and name == "php-fpm":
        versions = [each for folder in SYSTEM_PATH.split(":") for each in Path(folder).glob("php-fpm[0-9]*")]
        found = str(max(versions)) if versions else None
    return found


def required(name):
    """Where a server's program is; without it the test is skipped, or fails where everything must run."""
    found = program(name)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not installed")
    return found


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Server:
    """A server as a process of its own, in a folder of its own.

    A subclass writes its configuration for ``self.port`` in ``prepare`` and returns the command.
    """

    needs = ""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.port = 0

    @property
    def address(self):
        return "127.0.0.1", self.port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        """What it wrote, its own log files included."""
        said = [path.read_text(errors="replace") for path in sorted(self.folder.glob("*log"))]
        return "\n".join(said)[-4000:]

    def prepare(self):
        """Writes the configuration; gives (command, more environment)."""
        raise NotImplementedError

    async def start(self):
        for _ in range(ATTEMPTS):
            self.port = free_port()
            command, environment = self.prepare()
            with (self.folder / "stderr.log").open("wb") as log:
                self.process = await asyncio.create_subprocess_exec(
                    *command, cwd=self.folder, env={**without_settings(), **environment}, stdin=asyncio.subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
            try:
                await asyncio.wait_for(self.listening(), START_SECONDS)
            except (TimeoutError, ChildProcessError):
                await self.stop()
                if not re.search("in use|could not bind", self.log, re.IGNORECASE):
                    break
            else:
                return self
        raise AssertionError(f"{command[0]} did not start:\n{self.log}")

    async def listening(self):
        while True:
            if self.process.returncode is not None:
                raise ChildProcessError
            try:
                _, writer = await asyncio.open_connection(*self.address)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

    async def stop(self):
        """Ends it with its children."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
            except TimeoutError:
                continue
        await self.process.wait()


def pointed(config, replacements):
    """A documented configuration with this test's ports and paths; every one of them must occur."""
    for documented, ours in replacements.items():
        assert documented in config, f"the documented configuration has no {documented!r}"
        config = config.replace(documented, ours)
    return config


NGINX_FRAME = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log info;
{user}
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxied;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{config}
}}
"""


class Nginx(Server):
    """nginx with a documented ``http`` section.

    Args:
        config: what stands in ``http``. replacements: documented text → ours, beside ``listen``.
    """

    def __init__(self, folder, config, replacements):
        super().__init__(folder)
        self.config, self.replacements = config, replacements

    def prepare(self):
        own = {"listen 80;": f"listen 127.0.0.1:{self.port};"}
        config = pointed(self.config, self.replacements | own)
        user = "user root;" if os.geteuid() == 0 else ""
        file = self.folder / "nginx.conf"
        file.write_text(NGINX_FRAME.format(folder=self.folder, config=config, user=user))
        return [required("nginx"), "-c", str(file), "-e", str(self.folder / "start.log")], {}


class Varnish(Server):
    """Varnish with a documented VCL."""

    def __init__(self, folder, config, replacements):
        super().__init__(folder)
        self.config, self.replacements = config, replacements

    def prepare(self):
        file = self.folder / "default.vcl"
        file.write_text(pointed(self.config, self.replacements))
        command = [
            required("varnishd"), "-F", "-n", str(self.folder / "work"), "-f", str(file), "-j", "none",
            "-a", f"127.0.0.1:{self.port}", "-T", "none", "-s", "malloc,32m",
            "-p", "thread_pools=1", "-p", "thread_pool_min=20",
        ]  # fmt: skip
        return command, {}


APACHE_FRAME = """
ServerRoot "{folder}"
ServerName shop.example
PidFile "{folder}/pid"
Mutex file:{folder}
DefaultRuntimeDir "{folder}"
ErrorLog "{folder}/error.log"
DocumentRoot "{folder}"
Listen 127.0.0.1:{port}
{modules}
<IfModule mpm_event_module>
  StartServers 1
  ThreadsPerChild 25
</IfModule>
{config}
"""
APACHE_MODULES = Path("/usr/lib/apache2/modules")
APACHE_BASE = ["mpm_event", "authz_core"]


class Apache(Server):
    """Apache with a documented virtual host, and the modules that ``a2enmod`` is told to switch on."""

    def __init__(self, folder, config, modules, replacements):
        super().__init__(folder)
        self.config, self.modules, self.replacements = config, modules, replacements

    def prepare(self):
        # As Debian's own configuration has them: modules bring those that they build on.
        names = [*APACHE_BASE, *(["proxy"] if "proxy_http" in self.modules else []), *self.modules]
        modules = "\n".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in names)
        config = pointed(self.config, self.replacements | {"*:80": f"127.0.0.1:{self.port}"})
        file = self.folder / "apache.conf"
        file.write_text(
            APACHE_FRAME.format(folder=self.folder, port=self.port, modules=modules, config=config)
        )
        return [required("apache2"), "-d", str(self.folder), "-f", str(file), "-D", "FOREGROUND"], {}


class Caddy(Server):
    """Caddy with a documented site."""

    def __init__(self, folder, config, replacements):
        super().__init__(folder)
        self.config, self.replacements = config, replacements

    def prepare(self):
        config = pointed(
            self.config, self.replacements | {"shop.example {": f"http://:{self.port} {{\n\tbind 127.0.0.1"}
        )
        file = self.folder / "Caddyfile"
        file.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + config)
        places = {"XDG_DATA_HOME": str(self.folder / "data"), "XDG_CONFIG_HOME": str(self.folder / "config")}
        return [required("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"], places


class Php(Server):
    """PHP's own web server over the scripts of ``folder``."""

    def prepare(self):
        command = [required("php"), "-S", f"127.0.0.1:{self.port}", "-t", str(self.folder)]
        return command, {"PHP_CLI_SERVER_WORKERS": "2"}


class PhpFpm(Server):
    """php-fpm, as nginx asks it, over the scripts of ``folder``."""

    def prepare(self):
        file = self.folder / "fpm.conf"
        file.write_text(
            f"[global]\nerror_log = {self.folder}/fpm.log\ndaemonize = no\n"
            f"[www]\nlisten = 127.0.0.1:{self.port}\npm = static\npm.max_children = 2\n"
        )
        root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
        return [required("php-fpm"), "--nodaemonize", "--fpm-config", str(file), *root], {}
