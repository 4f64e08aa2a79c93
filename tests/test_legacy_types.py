"""Names from before ``dtype`` was an argument, and the process-wide switches."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import flambeau

torch = pytest.importorskip("torch")

CALLS = {
    "class": "torch.FloatTensor",
    "from a list": "torch.FloatTensor([[1, 2], [3, 4]])",
    "from sizes": "torch.HalfTensor(2, 3).shape",
    "truncated": "torch.LongTensor([1.5, -2.5])",
    "empty": "torch.LongTensor(), torch.LongTensor([])",
    "isinstance": "isinstance(x, torch.FloatTensor), isinstance(x, torch.LongTensor), isinstance(3, torch.FloatTensor)",
    "wrong dtype": "torch.FloatTensor(torch.tensor([1]))",
    "type": "x.type(torch.LongTensor), x.type('torch.DoubleTensor'), x.type()",
    "wrong type": "x.type('foo')",
    "typename": "torch.typename(x), torch.typename(3), torch.typename(torch.nn.ReLU)[-4:]",
    "unravel_index": "torch.unravel_index(torch.tensor([3, 5, 7, -1]), (2, 3))",
    "unravel_index of floats": "torch.unravel_index(torch.tensor([3.0]), (2, 3))",
    "hash_tensor": "x.hash_tensor(), torch.hash_tensor(x, 1), torch.hash_tensor(x, (0,), keepdim=True)",
    "apply_": "x.clone().apply_(lambda a: a + 1), x.clone().map_(x, lambda a, b: a * b)",
    "apply_ with grad": "x.clone().requires_grad_().apply_(abs)",
    "dim_order": "torch.ones(1, 2, 3, 4).to(memory_format=torch.channels_last).dim_order()",
    "copies": "x.narrow_copy(0, 1, 1), x.unsafe_chunk(2), x.unsafe_split(1), x.new([1, 2])",
    "precision": "torch.set_float32_matmul_precision('high'), torch.get_float32_matmul_precision()",
    "device": "torch.get_default_device()",
    "wrong device": "torch.set_default_device('foo')",
    "deletion": "x.__delitem__(0)",
    "sparse only": "x.indices()",
}


def outcome(library: Any, call: str) -> Any:
    try:
        return repr(eval(call, {"torch": library, "x": library.arange(6.0).view(2, 3)}))
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_as_in_pytorch(call: str) -> None:
    assert outcome(flambeau, call) == outcome(torch, call)


def test_default_tensor_type() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            flambeau.set_default_tensor_type("torch.DoubleTensor")
            assert flambeau.tensor(1.0).dtype is flambeau.float64
            with pytest.raises(TypeError, match="floating-point"):
                flambeau.set_default_tensor_type(flambeau.LongTensor)
        finally:
            flambeau.set_default_tensor_type(flambeau.FloatTensor)
    assert flambeau.tensor(1.0).dtype is flambeau.float32


def test_determinism_levels() -> None:
    flambeau.use_deterministic_algorithms(True, warn_only=True)
    assert flambeau.get_deterministic_debug_mode() == 1
    assert flambeau.is_deterministic_algorithms_warn_only_enabled()
    flambeau.set_deterministic_debug_mode("default")
    assert not flambeau.are_deterministic_algorithms_enabled()
