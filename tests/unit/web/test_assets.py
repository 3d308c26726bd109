from __future__ import annotations

from pathlib import Path

import pytest

from app.web.assets import Assets, BundleMissing


def test_a_missing_bundle_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(BundleMissing, match=r"python3 bundle\.py"):
        Assets.load(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BundleMissing):
        Assets.load(tmp_path)


def test_files_are_served_as_they_were_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"main.js": "main-ABCDEFGH.js"}')
    (tmp_path / "main-ABCDEFGH.js").write_text("1")
    assets = Assets.load(tmp_path)
    (tmp_path / "later.js").write_text("2")
    (tmp_path / "main-ABCDEFGH.js").unlink()
    assert assets.url("main.js") == "/static/main-ABCDEFGH.js"
    assert assets.get("later.js") is None
    assert assets.get("main-ABCDEFGH.js") is not None
    with pytest.raises(KeyError):
        assets.url("other.js")


def test_only_names_with_a_fingerprint_are_kept_for_ever(tmp_path: Path) -> None:
    for name in ("manifest.json", "main-ABCDEFGH.js", "fonts/f-12345678.woff2", "plain-name.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    assets = Assets.load(tmp_path)
    kept = {name: file.fingerprinted for name in assets._contents if (file := assets.get(name))}
    assert kept == {
        "manifest.json": False,
        "main-ABCDEFGH.js": True,
        "fonts/f-12345678.woff2": True,
        "plain-name.txt": False,
    }


def test_fonts_are_not_compressed_again(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "f-12345678.woff2").write_bytes(b"x" * 5000)
    file = Assets.load(tmp_path).get("f-12345678.woff2")
    assert file is not None
    assert (file.content.gzipped, file.content.media_type) == (None, "font/woff2")
