"""Every entry of PyTorch's module database against flambeau."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch, the reference of these tests, is not installed")
from tests.parity import known_gaps, module_checks  # noqa: E402

import flambeau  # noqa: E402

pytestmark = pytest.mark.parity


def cases() -> list[Any]:
    parameters = []
    for name in module_checks.entries():
        gap = known_gaps.MODULES.get(name)
        marks = [pytest.mark.xfail(reason=gap, strict=True)] if gap else []
        parameters.append(pytest.param(name, marks=marks, id=name))
    return parameters


@pytest.mark.parametrize("name", cases())
def test_module(name: str) -> None:
    tally = module_checks.run_module(module_checks.entries()[name], flambeau)
    if not tally.present:
        pytest.skip(f"{name} is not there yet")
    reasons = "\n".join(f"{check}: {reason}" for check, reason in tally.first_reasons().items())
    assert not tally.failures, f"{tally.failed_samples} of {tally.samples} samples differ\n{reasons}"


def test_known_gaps_name_entries_of_the_database() -> None:
    assert set(known_gaps.MODULES) <= set(module_checks.entries())
