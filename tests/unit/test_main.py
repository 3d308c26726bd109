from __future__ import annotations

import pytest

from app.config import Settings, is_loopback
from app.main import ConfinementMissing, check_exposure

OPEN = {"full": False, "layers": {"landlock": {"holds": False}, "seccomp": {"holds": True}}}


@pytest.mark.parametrize("settings", [Settings(host="0.0.0.0"), Settings(origins=("https://learn.example.org",))])
def test_unconfined_kernels_are_never_within_others_reach(settings: Settings) -> None:
    with pytest.raises(ConfinementMissing, match=r"landlock\)") as raised:
        check_exposure(settings, OPEN)
    assert "seccomp" not in str(raised.value)
    check_exposure(settings, {"full": True})


def test_alone_on_this_machine_anything_goes() -> None:
    check_exposure(Settings(), OPEN)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
