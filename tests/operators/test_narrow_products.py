"""Products of narrow floats with something added are rounded once, as PyTorch rounds them."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("operator", ["linear", "addmm", "baddbmm"])
def test_as_pytorch(operator: str, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    x, w, b = generator.normal(size=(32, 24)), generator.normal(size=(16, 24)), generator.normal(size=16)

    def result(library: object) -> np.ndarray:
        t: object = library
        first, weight, bias = (t.tensor(each, dtype=getattr(t, dtype)) for each in (x, w, b))  # type: ignore[attr-defined]
        if operator == "linear":
            made = t.nn.functional.linear(first, weight, bias)  # type: ignore[attr-defined]
        elif operator == "addmm":
            made = t.addmm(bias, first, weight.t())  # type: ignore[attr-defined]
        else:
            made = t.baddbmm(bias, first[None], weight.t()[None])  # type: ignore[attr-defined]
        return made.float().numpy()

    # Sums in another order may fall to the other side of a rounding, here and there.
    assert (result(flambeau) != result(torch)).mean() < 0.02
