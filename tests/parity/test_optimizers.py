"""Every entry of PyTorch's optimizer database against flambeau."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch, the reference of these tests, is not installed")
from tests.parity import known_gaps, optimizer_checks  # noqa: E402

import flambeau  # noqa: E402

pytestmark = pytest.mark.parity


def cases() -> list[Any]:
    parameters = []
    for name in optimizer_checks.entries():
        gap = known_gaps.OPTIMIZERS.get(name)
        marks = [pytest.mark.xfail(reason=gap, strict=True)] if gap else []
        parameters.append(pytest.param(name, marks=marks, id=name))
    return parameters


@pytest.mark.parametrize("name", cases())
def test_optimizer(name: str) -> None:
    tally = optimizer_checks.run_optimizer(optimizer_checks.entries()[name], flambeau)
    if not tally.present:
        pytest.skip(f"optim.{name} is not there yet")
    if tally.samples == 0:
        pytest.skip(", ".join(tally.notes))
    reasons = "\n".join(f"{check}: {reason}" for check, reason in tally.first_reasons().items())
    assert not tally.failures, f"{tally.failed_samples} of {tally.samples} samples differ\n{reasons}"


def test_known_gaps_name_entries_of_the_database() -> None:
    assert set(known_gaps.OPTIMIZERS) <= set(optimizer_checks.entries())
