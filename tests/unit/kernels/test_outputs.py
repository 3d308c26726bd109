from __future__ import annotations

from typing import Any

import pytest

from app.kernels.limits import GRAPH_MIME
from app.kernels.outputs import check_output, size_of
from app.kernels.wire import WireError


def accept(_: Any) -> str | None:
    return None


def check(raw: dict[str, Any]) -> dict[str, Any] | None:
    return check_output(raw, accept)


def test_unknown_keys_are_dropped() -> None:
    assert check({"output_type": "stream", "name": "stdout", "text": "a", "x": 1}) == {
        "output_type": "stream",
        "name": "stdout",
        "text": "a",
    }


def test_a_result_keeps_what_the_page_shows() -> None:
    raw = {
        "output_type": "execute_result",
        "execution_count": 2,
        "data": {"text/plain": "2", "text/html": "<script>", "image/svg+xml": "<svg/>", "application/javascript": "x"},
        "metadata": {"image/png": {"width": 3, "height": "evil"}, "x": 1},
    }
    assert check(raw) == {
        "output_type": "execute_result",
        "execution_count": 2,
        "data": {"text/plain": "2"},
        "metadata": {"image/png": {"width": 3}},
    }


def test_an_output_of_nothing_that_can_be_shown_is_left_out() -> None:
    assert check({"output_type": "display_data", "data": {"text/html": "<b>"}, "metadata": {}}) is None


def test_an_error_keeps_its_line_and_help() -> None:
    raw = {
        "output_type": "error",
        "ename": "E",
        "evalue": "v",
        "traceback": ["a"],
        "metadata": {"line": 2, "help": "h", "x": 1},
    }
    checked = check(raw)
    assert checked is not None
    assert checked["metadata"] == {"line": 2, "help": "h"}
    assert check({**raw, "metadata": {"line": "2", "help": ["h"]}})["metadata"] == {}  # type: ignore[index]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"output_type": "update_display_data", "data": {}},
        {"output_type": "stream", "name": "stdlog", "text": "a"},
        {"output_type": "stream", "name": "stdout", "text": ["a"]},
        {"output_type": "stream", "name": "stdout"},
        {"output_type": "display_data", "data": []},
        {"output_type": "display_data", "data": {"text/plain": {"a": 1}}},
        {"output_type": "display_data", "data": {"image/png": "<svg>"}},
        {"output_type": "execute_result", "data": {"text/plain": "1"}, "execution_count": "1"},
        {"output_type": "execute_result", "data": {"text/plain": "1"}, "execution_count": True},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": "a"},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": [1]},
        {"output_type": "error", "ename": 1, "evalue": "v", "traceback": []},
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a"] * 30_000},
    ],
)
def test_what_is_no_output_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        check(raw)


def test_a_bad_graph_document_becomes_a_message() -> None:
    raw = {"output_type": "display_data", "data": {GRAPH_MIME: {"version": 2}}, "metadata": {}}
    assert check_output(raw, lambda _: "it is wrong") == {
        "output_type": "stream",
        "name": "stderr",
        "text": "[The graph of this cell cannot be shown: it is wrong]\n",
    }
    assert check(raw) == {"output_type": "display_data", "data": {GRAPH_MIME: {"version": 2}}, "metadata": {}}


def test_sizes_count_bytes_of_text() -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "张"}
    assert size_of(stream) == 3
    assert size_of({"output_type": "error", "evalue": "ab", "traceback": ["c", "d"]}) == 4
    assert size_of({"output_type": "display_data", "data": {"text/plain": "ab", GRAPH_MIME: {"x": "y"}}}) == 11
