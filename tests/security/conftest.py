"""Kernels for the tests of their confinement."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit" / "kernels"))

from kernel_lab import Lab

LAYERS = frozenset(
    {
        "root",
        "network",
        "user",
        "folder",
        "environment",
        "limits",
        "no_new_privileges",
        "capabilities",
        "landlock",
        "seccomp",
    }
)

#: In the environment of the server, where no kernel may find it.
SECRET = "a-secret-of-the-server"


@pytest.fixture(scope="session")
def full() -> Iterator[Lab]:
    """Kernels as learners get them."""
    os.environ["GRADLENS_TEST_SECRET"] = SECRET
    lab = Lab()
    yield lab
    lab.close()
    del os.environ["GRADLENS_TEST_SECRET"]


@pytest.fixture(scope="session")
def only() -> Iterator[Callable[..., Lab]]:
    """Makes kernels with nothing but the layers named, to see what each does alone."""
    made: dict[frozenset[str], Lab] = {}

    def make(*layers: str) -> Lab:
        wanted = frozenset(layers)
        if wanted not in made:
            made[wanted] = Lab(skip=LAYERS - wanted)
        return made[wanted]

    yield make
    for lab in made.values():
        lab.close()
