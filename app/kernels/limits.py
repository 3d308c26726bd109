"""The bounds every kernel lives under; the page states the same numbers."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

#: The MIME type of the graph document.
GRAPH_MIME = "application/vnd.gradlens.graph.v1+json"


@dataclass(frozen=True)
class Limits:
    """Bounds of one kernel. Sizes are in bytes, times in seconds."""

    #: Source text of a cell.
    source: int = 64 * KIB
    #: What a cell may print and display, all its outputs together.
    output: int = 1 * MIB
    #: A graph document.
    document: int = 512 * KIB
    #: Processor time of one cell.
    compute: float = 10.0
    #: Time on the clock of one cell, sleeping and waiting for its turn included.
    wall: float = 120.0
    #: Memory of the kernel's own, beyond what it shares with the fork server.
    memory: int = 512 * MIB
    #: The private temporary folder.
    folder: int = 32 * MIB
    #: One file.
    file: int = 16 * MIB
    #: Open files.
    files: int = 64
    #: Threads (where the kernel has a user of its own).
    threads: int = 32
    #: From SIGINT to SIGKILL.
    grace: float = 1.0
    #: An answer to `complete` or `inspect`.
    answer: float = 2.0


DEFAULT_LIMITS = Limits()


def megabytes(nbytes: int) -> str:
    """Text of a size, such as "512 MiB"."""
    return f"{nbytes // MIB} MiB"
