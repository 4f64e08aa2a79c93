"""Errors that come at the call, the dtypes narrow floats are computed in, and names of nodes that PyTorch numbers oddly."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")


def run(package: Any, text: str) -> Any:
    """What the last expression of a few statements gives, as plain data, or the class of the error."""
    *statements, last = text.split("; ")
    names = {"torch": package, "np": np, "F": package.nn.functional}
    try:
        exec("; ".join(statements), names)
        made = eval(last, names)
    except Exception as error:
        return type(error)
    return (str(made.dtype), made.tolist()) if isinstance(made, package.Tensor) else made


@pytest.mark.parametrize(
    "text",
    [
        "torch.arange(4)**-1", "torch.arange(4.0)**-1", "torch.arange(4)//0", "torch.arange(4)%0",
        "torch.tensor([5]).fmod(0)", "x = torch.tensor([1, 0]); 1//x", "torch.zeros(0, dtype=torch.int64)//0",
        "torch.ones(2) @ 2", "torch.ones(2).matmul('a')", "~torch.ones(2)", "torch.ones(2).add(None)", "torch.mul(torch.ones(2), 'a')",
        "torch.eq(torch.ones(2), 'a')", "torch.ones(2) + None", "torch.where(torch.tensor([True]), torch.ones(1))",
        "torch.einsum('ij')", "torch.einsum(3)", "torch.tensor([True]).topk(1)", "float(torch.ones(2))", "float(torch.tensor(1j))",
        "int(torch.tensor(2 + 0j))", "torch.arange(6).view(2, 3).index_select(1, torch.tensor([3]))",
        "torch.arange(6).view(2, 3).index_select(0, torch.tensor([-1]))",
        "t = torch.arange(4.0); t[1:].add_(t[:-1])", "t = torch.arange(4.0); t[1:].copy_(t[:-1])",
        "t = torch.ones(3, 3); u = torch.ones(3); t.add_(u); t.add_(t[0])", "t = torch.ones(3, 3); t[:, 0].add_(t[:, 1])",
        "t = torch.ones(4); t.add_(t)", "t = torch.zeros(2); t.expand(3, 2)[:] = 1; t",
        "torch.ones(2) * np.array([1, 2])", "np.ones(2) * torch.ones(2)", "np.ones(2) / torch.ones(2)", "torch.ones(2) == np.ones(2)",
        "np.isnan(torch.ones(2))", "t = torch.zeros(2); t += np.ones(2); t",
        "torch.arange(1, 50).half() / 0.7", "torch.arange(1, 50).half() * 0.7", "torch.arange(1, 50).bfloat16() / torch.tensor(0.7)",
        "torch.arange(1, 50).half() // 0.7", "0.7 / torch.arange(1, 50).bfloat16()", "torch.arange(1, 50).half() + 0.7",
    ],
)  # fmt: skip
def test_as_in_pytorch(text: str) -> None:
    assert run(flambeau, text) == run(torch, text)


@pytest.mark.parametrize(
    "text",
    [
        "x // 2", "torch.heaviside(x, x)", "torch.div(x, 2, rounding_mode='floor')", "torch.div(x, x, rounding_mode='trunc')",
        "(x * 1).fill_(1)", "(x * 1).fill_(torch.tensor(1.0))", "F.elu(x * 1, inplace=True)", "F.elu(x)",
        "F.leaky_relu(x * 1, inplace=True)", "F.celu(x * 1, inplace=True)", "F.threshold(x * 1, 0, 0, True)",
    ],
)  # fmt: skip
def test_names_of_nodes(text: str) -> None:
    def name(package: Any) -> str:
        x = package.ones(2, requires_grad=True)
        return str(eval(text, {"torch": package, "F": package.nn.functional, "x": x}).grad_fn.name()).split("::")[-1]

    assert name(flambeau) == name(torch)


def test_an_operator_without_derivative_says_so_in_backward() -> None:
    x = flambeau.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="derivative for aten::floor_divide is not implemented"):
        (x // 2).sum().backward()


@pytest.mark.parametrize(
    "call",
    [
        lambda: flambeau.ones(2) + flambeau.ones(3), lambda: flambeau.ones(2) @ flambeau.ones(3), lambda: flambeau.ones(2).view(3),
        lambda: flambeau.nn.Linear(2, 3)(flambeau.ones(4)), lambda: flambeau.add(flambeau.ones(2), foo=1),
        lambda: flambeau.ones(2).expand(3),
    ],
)  # fmt: skip
def test_tracebacks_tell_one_error(call: Any) -> None:
    with pytest.raises((RuntimeError, TypeError)) as found:
        call()
    text = "".join(traceback.format_exception(found.value))
    assert "During handling of the above exception" not in text
