"""Addresses that are listened on: read, bound, and said as what to open; and room for whoever comes."""

from __future__ import annotations

import errno
import re
import resource
import socket

from proxy.errors import SettingsError

BACKLOG = 2048
"""Connections that the kernel holds while we accept; as uvicorn and nginx have it, roughly."""

MOST_FILES = 65_536
"""Open files that a process asks for, each connection being one: far more than one serves at once."""

BIND_MENDS = {
    errno.EADDRINUSE: "Stop what listens there, or choose another port.",
    errno.EACCES: "Choose a port above 1023, or let this user have it.",
}
"""What helps when an address can't be had."""

ADDRESS = re.compile(r"(?:\[(?P<ipv6>[0-9A-Za-z:.%]+)\]|(?P<name>[^\s:/\[\]]*)):(?P<port>[0-9]{1,5})")
"""HOST:PORT, with an IPv6 address in brackets and the host left out for every address."""

MAX_PORT = 65535


def host_port(text: str) -> tuple[str, int]:
    """``127.0.0.1:8000``, ``[::1]:8000`` or ``:8000`` as (host, port).

    Raises:
        ValueError: it is no such address.
    """
    address = ADDRESS.fullmatch(text)
    port = int(address["port"]) if address is not None else MAX_PORT + 1
    if address is None or port > MAX_PORT:
        raise ValueError(f"{text!r} is no HOST:PORT")
    host = address["ipv6"] or address["name"] or "0.0.0.0"  # noqa: S104  ":8000" says every address
    return host, port


def make_room() -> None:
    """Raises the soft limit of open files as far as the hard one lets us.

    It is 1,024 nearly everywhere for the sake of programs that call ``select``; with a connection each to the
    shop and to DataCue, the 350th visitor at once would find none.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def bind(key: str, address: str) -> socket.socket:
    """A listening socket.

    Args:
        key: the setting that holds the address, for the error.
        address: HOST:PORT.

    Raises:
        SettingsError: it is no address, is in use, isn't ours, or may not be used.
    """
    try:
        host, port = host_port(address)
    except ValueError as error:
        raise SettingsError(key, str(error), "Write HOST:PORT, as 127.0.0.1:8000.") from None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: asyncio sets TCP_NODELAY only on sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        problem = f"can't listen on {address}: {reason.lower()}"
        mend = BIND_MENDS.get(getattr(error, "errno", None) or 0, "Choose an address of this machine.")
        raise SettingsError(key, problem, mend) from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """What to open in a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
