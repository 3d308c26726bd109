"""Programs that a learner runs next print what PyTorch printed; where it is installed, what it prints now.

Each program of `whole_programs/` has its recorded text beside it. `python -m tests.conformance.test_whole_programs`
writes them anew with the PyTorch that is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.programs import namespace, run

FOLDER = Path(__file__).parent / "whole_programs"
PROGRAMS = sorted(FOLDER.glob("*.py"))
NUMBER = re.compile(r"(?<![\w.])[+-]?\d+\.\d*(?:e[+-]?\d+)?(?![\w])")


def close(mine: str, theirs: str) -> bool:
    """Equal but for the last digits of fractions: training adds up roundings."""
    ours, others = NUMBER.findall(mine), NUMBER.findall(theirs)
    if re.sub(r"\s+", " ", NUMBER.sub("#", mine)) != re.sub(r"\s+", " ", NUMBER.sub("#", theirs)):
        return False
    return all(float(a) == pytest.approx(float(b), rel=2e-3, abs=2.1e-3) for a, b in zip(ours, others, strict=True))


def in_pytorch(program: Path) -> str:
    """What a program prints with the installed PyTorch, in a process and folder of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program)], capture_output=True, text=True, check=True, cwd=FOLDER
    )
    return done.stdout


def in_engine(program: Path) -> str:
    outcome = run(program.read_text(encoding="utf-8"), namespace(), str(program))
    assert outcome.error is None, outcome.error
    return outcome.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_prints_what_was_recorded(program: Path) -> None:
    mine, recorded = in_engine(program), program.with_suffix(".txt").read_text(encoding="utf-8")
    assert close(mine, recorded), f"\n{mine}\n---\n{recorded}"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_the_record_is_what_pytorch_prints(program: Path) -> None:
    torch = pytest.importorskip("torch")
    if "engine" in torch.__name__:
        pytest.skip("torch is the engine here")
    recorded = program.with_suffix(".txt").read_text(encoding="utf-8")
    assert close(in_pytorch(program), recorded)


if __name__ == "__main__":
    for each in PROGRAMS:
        each.with_suffix(".txt").write_text(in_pytorch(each), encoding="utf-8")
