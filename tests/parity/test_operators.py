"""Every entry of PyTorch's operator database against flambeau: one test for an entry and group of dtypes.

`python -m tests.parity.report NAME --every-failure` shows a failure in full. FLAMBEAU_PARITY_SAMPLES caps the samples
of each entry and dtype for a quick run; without it every sample runs.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch, the reference of these tests, is not installed")
from tests.parity import databases, known_gaps  # noqa: E402
from tests.parity.checks import EntryRun  # noqa: E402

import flambeau  # noqa: E402

pytestmark = pytest.mark.parity

GROUPS = {
    "floating": (torch.float32, torch.float64),
    "complex": (torch.complex64,),
    "integral": (torch.int64, torch.bool),
}
GRADIENTS = {"gradient", "second gradient", "finite differences"}
LIMIT = int(os.environ["FLAMBEAU_PARITY_SAMPLES"]) if "FLAMBEAU_PARITY_SAMPLES" in os.environ else None


def cases() -> list[Any]:
    parameters = []
    for name, entry in databases.entries().items():
        supported = entry.supported_dtypes("cpu")
        parts = [group for group, dtypes in GROUPS.items() if supported.intersection(dtypes)]
        if entry.supports_autograd and torch.float64 in entry.supported_backward_dtypes("cpu"):
            parts += ["gradients", "names"]
        if entry.error_inputs_func is not None:
            parts.append("errors")
        for part in parts:
            gap = known_gaps.OPERATORS.get(name, {}).get(part)
            marks = [pytest.mark.xfail(reason=gap, strict=True)] if gap else []
            parameters.append(pytest.param(name, part, marks=marks, id=f"{name}-{part}"))
    return parameters


@pytest.mark.parametrize(("name", "part"), cases())
def test_operator(name: str, part: str) -> None:
    only = {"gradients": GRADIENTS, "names": {"grad_fn"}}.get(part)
    run = EntryRun(databases.entries()[name], flambeau, only)
    if not run.tally.present:
        pytest.skip(f"{name} is not there yet")
    if part in ("gradients", "names"):
        run.run_gradients(torch.float64, LIMIT)
    elif part == "errors":
        run.run_errors(LIMIT)
    else:
        for dtype in GROUPS[part]:
            run.run_values(dtype, LIMIT)
    if run.tally.samples == 0:
        pytest.skip("no sample that PyTorch itself accepts and that can be carried over")
    reasons = "\n".join(f"{check}: {reason}" for check, reason in run.tally.first_reasons().items())
    assert not run.tally.failures, f"{run.tally.failed_samples} of {run.tally.samples} samples differ\n{reasons}"


def test_known_gaps_name_entries_of_the_database() -> None:
    tested = {(case.values[0], case.values[1]) for case in cases()}
    listed = {(name, part) for name, parts in known_gaps.OPERATORS.items() for part in parts}
    assert listed <= tested
