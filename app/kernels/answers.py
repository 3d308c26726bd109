"""Completion and documentation, from IPython's completer and inspector."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.utils.tokenutil import token_at_cursor

from app.kernels import torch_alias
from app.kernels.streams import shorten

#: The most completions in an answer, and the longest documentation, in characters.
_MATCHES = 200
_DOCUMENTATION = 16 * 1024


def complete(shell: Any, source: str, cursor: int) -> dict[str, Any]:
    """Return the completions at `cursor`, counted in code points: `matches`, and what they replace."""
    with provisionalcompleter(), _torch_in_sight(shell):
        found = list(rectify_completions(source, shell.Completer.completions(source, cursor)))[: 5 * _MATCHES]
    matches: dict[str, str] = {}
    for match in found:
        matches.setdefault(match.text, "" if match.type in (None, "<unknown>") else str(match.type))
    start, end = (found[0].start, found[0].end) if found else (cursor, cursor)
    if matches and all(text.startswith(".") for text in matches):
        # IPython counts the dot of an attribute to the match.
        matches, start = {text[1:]: kind for text, kind in matches.items()}, start + 1
    shown = [{"text": text, "type": kind} for text, kind in list(matches.items())[:_MATCHES]]
    return {"matches": shown, "start": start, "end": end}


def inspect(shell: Any, source: str, cursor: int) -> dict[str, Any]:
    """Return the documentation of the name at `cursor`: `found`, and `data`, a MIME bundle."""
    name = token_at_cursor(source, cursor)
    if not name:
        return {"found": False, "data": {}}
    try:
        with _torch_in_sight(shell):
            bundle = shell.object_inspect_mime(name, detail_level=0)
    except KeyError:
        return {"found": False, "data": {}}
    return {"found": True, "data": {"text/plain": shorten(str(bundle.get("text/plain", "")), _DOCUMENTATION)}}


@contextmanager
def _torch_in_sight(shell: Any) -> Iterator[None]:
    """Let `torch` be known before the learner's first `import torch` has run."""
    missing = torch_alias.ALIAS not in shell.user_ns
    if missing:
        shell.user_ns[torch_alias.ALIAS] = importlib.import_module(torch_alias.ALIAS)
    try:
        yield
    finally:
        if missing:
            shell.user_ns.pop(torch_alias.ALIAS, None)
