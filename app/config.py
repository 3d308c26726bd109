"""What can be set about a server: one frozen object, made by the command line or by a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

KIB = 1024


@dataclass(frozen=True)
class Limits:
    """Bounds that the HTTP layer enforces. Sizes in bytes of UTF-8, rates in calls a second."""

    source: int = 64 * KIB
    #: A page of the course has a few dozen cells; a learner may run each many times.
    history_cells: int = 500
    history_source: int = 1024 * KIB
    #: JSON may write one character as `\\uXXXX`, so a legal body can be several times its text.
    body: int = 4096 * KIB
    headers: int = 32 * KIB
    #: "Run all" sends a page's cells one after the other as fast as they end.
    session_rate: float = 20.0
    session_burst: int = 120
    #: A class may share one address.
    address_rate: float = 300.0
    address_burst: int = 1200
    #: New sessions of one address: a whole class may arrive at once, but not again every few seconds.
    opening_rate: float = 5.0
    opening_burst: int = 600


@dataclass(frozen=True)
class Settings:
    """How to serve. `origins` are the further origins, such as `https://learn.example.org`, it is reached by."""

    host: str = "127.0.0.1"
    port: int = 8000
    origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for origin in self.origins:
            parts = urlsplit(origin)
            bare = parts.scheme in ("http", "https") and parts.netloc and not (parts.path or parts.query)
            if not bare or parts.username is not None:
                raise ValueError(f"{origin!r} is no origin: write it like https://learn.example.org")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address to listen on, is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
