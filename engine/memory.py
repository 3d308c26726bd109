"""Keeps freed memory for the next array.

A training step makes and drops the same arrays again and again. By default glibc hands the pages of every array above
128 KiB back to the system at once, and the next step pays for getting them, page by page: half of the time of a step
of a small network. So allow it to keep some. `malloc_trim(0)` still gives everything back when asked to.
"""

from __future__ import annotations

import ctypes
import sys

#: Arrays up to this many bytes come from the heap, which keeps its pages (the most that glibc accepts).
_HEAP_ARRAYS = 32 << 20
#: Free bytes at the heap's end before any are given back.
_KEPT = 128 << 20

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def keep_freed_pages() -> bool:
    """Tell the C library to keep them. False where it is not glibc, and nothing has changed."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - only glibc has it
        mallopt = library.mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _HEAP_ARRAYS)) and bool(mallopt(_M_TRIM_THRESHOLD, _KEPT))
