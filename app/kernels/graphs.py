"""Graph documents from kernels, checked against the schema that the page is built on."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from app.kernels.limits import DEFAULT_LIMITS, KIB

_SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "graph.v1.json"


def check_document(document: Any, limit: int = DEFAULT_LIMITS.document) -> str | None:
    """Say in plain words why the page must not get `document`; None when it may."""
    size = len(orjson.dumps(document))
    if size > limit:
        return f"it is {size // KIB} KiB large, and at most {limit // KIB} KiB are sent"
    validator = _validator()
    if validator.is_valid(document):
        return None
    first = next(iter(validator.iter_errors(document)), None)
    where = "/".join(str(part) for part in first.instance_path)[:200] if first else ""
    return f"it does not follow its schema at /{where}"


@cache
def _validator() -> Any:
    return jsonschema_rs.validator_for(orjson.loads(_SCHEMA.read_bytes()))
