"""The two commands: what they install, when, and what they say when they cannot."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not (ROOT / "bootstrap.py").is_file(), reason="needs the checkout")


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """bootstrap.py with an environment of its own, pip replaced by a list, and no process ever replaced."""
    monkeypatch.syspath_prepend(str(ROOT))
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    python = tmp_path / "venv" / "python"

    def make_venv() -> None:
        python.parent.mkdir(exist_ok=True)
        python.touch()

    module.VENV, module.PYTHON, module.STAMP = python.parent, python, python.parent / "stamp"  # type: ignore[attr-defined]
    module.installed = []  # type: ignore[attr-defined]
    module.started = []  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "_make_venv", make_venv)
    monkeypatch.setattr(module, "_pip", lambda *arguments: module.installed.append(arguments[-1]))
    monkeypatch.setattr(module, "_become", lambda command: module.started.append(command) or 0)
    monkeypatch.setattr(module, "_install_front_end_tools", lambda: None)
    return module


def test_it_installs_once_and_passes_arguments_on(bootstrap: ModuleType) -> None:
    assert bootstrap.main(["serve", "--port", "8080"]) == 0
    assert bootstrap.main(["serve"]) == 0
    assert bootstrap.installed == [f"{bootstrap.ROOT}[plot]"]
    assert [command[1:] for command in bootstrap.started] == [
        ["-m", "app", "serve", "--port", "8080"],
        ["-m", "app", "serve"],
    ]


def test_tests_need_more_and_serving_then_needs_nothing(bootstrap: ModuleType) -> None:
    bootstrap.main(["serve"])
    bootstrap.main(["test", "-x"])
    bootstrap.main(["serve"])
    assert bootstrap.installed == [f"{bootstrap.ROOT}[plot]", f"{bootstrap.ROOT}[plot,test]"]
    assert bootstrap.started[1][1:] == ["-m", "pytest", "-x"]


def test_a_changed_project_is_installed_again(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.main(["test"])
    monkeypatch.setattr(bootstrap, "_digest", lambda: "changed")
    bootstrap.main(["serve"])
    assert bootstrap.installed == [f"{bootstrap.ROOT}[plot,test]"] * 2


def test_a_failed_installation_is_tried_again(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    def fail(*arguments: str) -> None:
        raise subprocess.CalledProcessError(1, "pip")

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "_pip", fail)
        assert bootstrap.main(["serve"]) == 1
    assert bootstrap.started == []
    assert bootstrap.main(["serve"]) == 0


def test_a_python_without_ensurepip_says_which_package_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("bootstrap_again", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    original = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(original)
    original.PYTHON = bootstrap.PYTHON  # type: ignore[attr-defined]
    original.STAMP = bootstrap.STAMP  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert original.main(["serve"]) == 1
    assert f"sudo apt install python3.{sys.version_info[1]}-venv" in capsys.readouterr().err


def test_an_old_python_is_told_so(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert bootstrap.main(["serve"]) == 1
    assert "3.11 or newer; this is 3.9" in capsys.readouterr().err


def test_without_a_command_it_explains_itself(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main([]) == 2
    assert bootstrap.main(["--help"]) == 0
    assert "bootstrap.py serve" in capsys.readouterr().out
