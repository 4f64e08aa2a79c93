"""One sample of every operator of PyTorch's database, compiled, against PyTorch.

Every sample, with gradients and variants: ``FLAMBEAU_TIER=native python -m pytest tests/parity/test_operators.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch, the reference of these tests, is not installed")
from tests.parity import databases, known_gaps  # noqa: E402
from tests.parity.checks import EntryRun  # noqa: E402

import flambeau  # noqa: E402
from flambeau.native.policy import policy  # noqa: E402
from flambeau.tracing.cache import cache  # noqa: E402
from flambeau.tracing.recorder import synchronize  # noqa: E402

pytestmark = pytest.mark.parity
PARTS = 8


@pytest.fixture(autouse=True)
def _native(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    synchronize()
    cache.clear()
    monkeypatch.setattr(policy, "mode", "native")
    yield
    synchronize()
    cache.clear()


@pytest.mark.parametrize("part", range(PARTS))
def test_operators(part: int) -> None:
    every = int(os.environ.get("FLAMBEAU_NATIVE_SAMPLES", "1"))
    failures: list[Any] = []
    ran = 0
    for name, entry in list(databases.entries().items())[part::PARTS]:
        if "floating" in known_gaps.OPERATORS.get(name, {}):
            continue
        run = EntryRun(entry, flambeau, {"forward"})
        if run.tally.present:
            run.run_values(torch.float32, every)
            ran += run.tally.samples
            failures += [(name, each.arguments, each.message) for each in run.tally.failures]
    assert not failures, "\n".join(map(str, failures))
    assert ran > 30
