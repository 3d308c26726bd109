from __future__ import annotations

import asyncio
import socket
import sys

import pytest

import app
from app import cli
from app.serving import listen


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for option, text in (("--version", f"gradlens {app.__version__}\n"), ("--help", "serve")):
        with pytest.raises(SystemExit) as stopped:
            cli.main([option])
        assert stopped.value.code == 0
        assert text in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve", "--port", "65536"], ["serve", "--port", "x"]])
def test_misuse_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert "usage: gradlens" in capsys.readouterr().err


def test_a_taken_port_is_said_clearly(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert cli.main(["serve", "--port", str(port), "--no-browser"]) == 1
    message = capsys.readouterr().err
    assert f"Port {port} on 127.0.0.1 is taken" in message
    assert f"--port {port + 1}" in message


def test_port_zero_takes_a_free_one() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


def test_small_answers_are_not_delayed() -> None:
    async def nodelay() -> int:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answered.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        answered = asyncio.get_running_loop().create_future()
        with listen("127.0.0.1", 0) as listener:
            async with await asyncio.start_server(serve, sock=listener):
                _, writer = await asyncio.open_connection(*listener.getsockname())
                found: int = await answered
                writer.close()
        return found

    assert asyncio.run(nodelay()) == 1


def test_a_host_that_is_not_here_is_said_clearly() -> None:
    with pytest.raises(OSError, match="Cannot listen on nowhere.invalid"):
        listen("nowhere.invalid", 8000)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="these always have a desktop")
def test_a_browser_is_opened_on_a_desktop_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    assert not cli.has_desktop()
    monkeypatch.setenv("DISPLAY", ":0")
    assert cli.has_desktop()
    monkeypatch.setenv("SSH_CONNECTION", "1 2 3 4")
    assert not cli.has_desktop()
