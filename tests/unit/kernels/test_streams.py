from __future__ import annotations

from typing import Any

import pytest

from app.kernels.interrupts import InterruptGate
from app.kernels.limits import Limits
from app.kernels.streams import OutputSender, TextStream, shorten

LIMITS = Limits(output=4096)


class Sent:
    """What a sender sent in one run."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.sender = OutputSender(self.messages.append, InterruptGate(), LIMITS)
        self.sender.begin(7, silent=False)

    @property
    def outputs(self) -> list[dict[str, Any]]:
        assert all(message["run"] == 7 for message in self.messages)
        return [message["output"] for message in self.messages]

    def text(self, name: str = "stdout") -> str:
        return "".join(output["text"] for output in self.outputs if output.get("name") == name)


def display(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


def test_printing_is_joined_and_displays_keep_their_place() -> None:
    sent = Sent()
    out, err = TextStream("stdout", sent.sender), TextStream("stderr", sent.sender)
    print("a", 1, file=out)
    print("b", file=err)
    print("c", file=out)
    sent.sender.display(display("d"))
    print("e", file=out)
    sent.sender.end()
    shown = [output.get("text") or output["data"]["text/plain"] for output in sent.outputs]
    assert shown == ["a 1\n", "b\n", "c\n", "d", "e\n"]


def test_what_is_over_the_allowance_is_cut_in_the_middle_and_said() -> None:
    sent = Sent()
    for number in range(10_000):
        sent.sender.stream("stdout", f"line {number}\n")
    sent.sender.end()
    text = sent.text()
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("line 9999\n")
    assert len(text) < 4096
    assert "characters left out" in sent.text("stderr")
    total = sum(len(f"line {number}\n") for number in range(10_000))
    assert f"{total - len(text):,}" in sent.text("stderr")


def test_one_huge_print_is_cut_too() -> None:
    sent = Sent()
    sent.sender.stream("stdout", "a" + "x" * 10**6 + "z")
    sent.sender.end()
    assert sent.text()[0] == "a"
    assert sent.text()[-1] == "z"
    assert len(sent.text()) < 4096


def test_wide_characters_count_as_the_bytes_they_are() -> None:
    sent = Sent()
    sent.sender.stream("stdout", "张" * 10_000)
    sent.sender.end()
    assert len(sent.text().encode()) <= 4096


def test_displays_over_the_allowance_are_counted() -> None:
    sent = Sent()
    for _ in range(20):
        sent.sender.display(display("x" * 500))
    sent.sender.end()
    assert sum(output["output_type"] == "display_data" for output in sent.outputs) == 8
    assert "12 displayed outputs left out" in sent.text("stderr")


def test_an_error_is_sent_even_when_the_allowance_is_used_up_and_after_what_was_kept() -> None:
    sent = Sent()
    sent.sender.stream("stdout", "x" * 10_000 + "last")
    sent.sender.error({"output_type": "error", "ename": "E"})
    sent.sender.end()
    assert sent.outputs[-1]["output_type"] == "error"
    assert sent.outputs[-2]["text"].endswith("last")


def test_a_silent_run_sends_nothing() -> None:
    sent = Sent()
    sent.sender.begin(8, silent=True)
    sent.sender.stream("stdout", "x" * 10_000)
    sent.sender.display(display("d"))
    sent.sender.error({"output_type": "error"})
    sent.sender.document({})
    sent.sender.end()
    assert sent.messages == []


def test_a_stream_takes_text_only() -> None:
    with pytest.raises(TypeError, match="must be str, not bytes"):
        TextStream("stdout", Sent().sender).write(b"x")  # type: ignore[arg-type]


def test_shortening_keeps_both_ends() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("a" * 50 + "b" * 50, 10) == "aaaaa\n[… 90 characters left out …]\nbbbbb"
