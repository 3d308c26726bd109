from __future__ import annotations

from typing import Any

import pytest

from app.kernels.graphs import check_document

EMPTY: dict[str, Any] = {"version": 1, "sources": {}, "nodes": [], "edges": [], "events": [], "truncated": None}


def test_a_document_that_follows_the_schema_passes() -> None:
    assert check_document(EMPTY) is None
    assert check_document({**EMPTY, "edges": [{"from": "t1", "to": "f1", "slot": 0}]}) is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {**EMPTY, "version": 2},
        {**EMPTY, "html": "<script>"},
        {**EMPTY, "edges": [{"from": "x", "to": "f1", "slot": 0}]},
        {**EMPTY, "nodes": [{"id": "t1", "kind": "tensor"}]},
    ],
)
def test_any_other_document_is_refused(document: Any) -> None:
    objection = check_document(document)
    assert objection is not None
    assert "schema" in objection


def test_the_objection_says_where() -> None:
    assert "/edges/0/from" in str(check_document({**EMPTY, "edges": [{"from": "x", "to": "f1", "slot": 0}]}))


def test_a_document_over_the_limit_is_refused_whatever_it_holds() -> None:
    big = {**EMPTY, "sources": {"c": "x" * 2000}}
    assert check_document(big) is None
    assert "KiB" in str(check_document(big, limit=1024))
