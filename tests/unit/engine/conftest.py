"""What the tests of devices share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import devices
from tests.unit.engine.stand_in import StandIn, special


@pytest.fixture
def cuda() -> Iterator[None]:
    devices.use_array_module(StandIn(), special)
    yield
    devices.use_array_module(None)


@pytest.fixture
def no_cuda() -> Iterator[None]:
    devices.use_array_module(None)
    devices._probed = True
    yield
    devices._probed = False
