"""What creation functions accept and refuse: the forms of sizes, dtypes and data, and the classes of errors, as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")


def outcome(package: Any, text: str) -> Any:
    """Shape, strides, dtype and numbers of what an expression makes, or the class of its error."""
    try:
        made = eval(text, {"torch": package, "np": np})
    except Exception as error:
        return type(error)
    return tuple(made.shape), made.stride(), str(made.dtype), made.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "torch.zeros(size=(2, 3))", "torch.zeros()", "torch.zeros(True)", "torch.zeros((2,), (3,))", "torch.zeros(2, dtype=float)",
        "torch.ones(2, dtype=complex)", "torch.zeros(2, dtype='float32')", "torch.full(2, 3)", "torch.full((2,), 'a')",
        "torch.full((2,), [1])", "torch.full((2,), 300, dtype=torch.uint8)", "torch.full((2,), -1, dtype=torch.uint8)",
        "torch.full((1,), 1e39)", "torch.full((1,), float('nan'), dtype=torch.int32)", "torch.full_like(torch.zeros(2), 1j)",
        "torch.zeros(2).fill_(1e39)", "torch.empty(2, 3, memory_format=torch.preserve_format)", "torch.arange()",
        "torch.arange(end=3)", "torch.range(4)", "torch.zeros(2).new_zeros(size=(2,))", "torch.zeros(2).new_ones()",
        "torch.ones(2, 3).view(size=(3, 2))", "torch.ones(2, 4).view(dtype=torch.int32)", "torch.ones(2).view()",
        "torch.ones(2, 3).permute()", "torch.ones(2, 3).permute(dims=(1, 0))", "torch.ones(2).flip()", "torch.ones(2).expand()",
        "torch.ones(2).reshape(shape=(2, 1))", "torch.ones(2).tile()", "torch.ones(2).repeat(repeats=(2,))",
        "torch.tensor([[1, 2], 3])", "torch.tensor([1, [2, 3]])", "torch.tensor([1.0, [2]])", "torch.tensor(['a'])",
        "torch.tensor([1, 'a'])", "torch.tensor([None])", "torch.tensor([1, None])", "torch.tensor({})", "torch.tensor({1, 2})",
        "torch.tensor([1], dtype='float32')", "torch.tensor(-1, dtype=torch.uint8)", "torch.tensor(-256, dtype=torch.uint8)",
        "torch.tensor([-0.5], dtype=torch.uint8)", "torch.tensor([127.9], dtype=torch.int8)", "torch.tensor(2**63)",
        "torch.tensor([2**64])", "torch.tensor(2**63, dtype=torch.float32)", "torch.tensor(1j, dtype=torch.float32)",
        "torch.tensor([1j], dtype=torch.int64)", "torch.tensor([torch.ones(2)])", "torch.tensor([torch.arange(2)])",
        "torch.tensor([torch.tensor([1.0]), 2])", "torch.tensor(np.arange(6).reshape(2, 3).T)",
        "torch.tensor(np.arange(6.0).reshape(2, 3)[:, ::2])", "torch.tensor(np.arange(4)[::-1])",
        "torch.tensor(np.arange(3, dtype='>i4'))", "torch.from_numpy(np.broadcast_to(np.arange(3.0), (2, 3)))",
        "torch.Tensor(range(3))", "torch.Tensor([1j])", "torch.Tensor(2, 3, dtype=torch.float64)", "torch.Tensor(data=[1.0])",
        "torch.Tensor(3.5)", "torch.Tensor(np.float32(3))", "torch.Tensor('a')", "torch.Tensor({1, 2})", "torch.ByteTensor([256])",
        "torch.ByteTensor([-1])", "torch.LongTensor([1.5])", "torch.LongTensor(range(2))", "torch.FloatTensor(torch.tensor([1]))",
        "torch.Tensor([1], device='cuda')", "torch.frombuffer([1], dtype=torch.float64)", "torch.ones(2).to(float)",
        "torch.ones(2).to([1])", "torch.ones(2).type(3)", "torch.finfo('float32')", "torch.iinfo(torch.bool)",
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_forms_and_refusals(text: str) -> None:
    assert outcome(flambeau, text) == outcome(torch, text)


@pytest.mark.parametrize(
    "made",
    [
        "rand(2, dtype=T)", "empty(2, dtype=T)", "arange(3, dtype=T)", "zeros_like(torch.ones(2), dtype=T)", "randn(2, dtype=T)",
        "as_tensor([1], dtype=T)", "empty_strided((2,), (1,), dtype=T)", "hann_window(3, dtype=T)", "ones(2).to(T)",
        "ones(2).sum(dtype=T)", "linspace(0, 1, 3, dtype=T)", "eye(2, dtype=T)", "nn.Linear(2, 2, dtype=T).weight",
        "nn.Linear(2, 2).to(T).weight",
    ],
)  # fmt: skip
def test_pythons_float_is_a_dtype(made: str) -> None:
    assert eval("torch." + made, {"torch": flambeau, "T": float}).dtype is flambeau.float64


def test_limits_print_as_in_pytorch() -> None:
    for name in ("float16", "bfloat16", "float32", "float64"):
        assert repr(flambeau.finfo(getattr(flambeau, name))) == repr(torch.finfo(getattr(torch, name)))
    for name in ("uint8", "int8", "int32", "int64"):
        assert repr(flambeau.iinfo(getattr(flambeau, name))) == repr(torch.iinfo(getattr(torch, name)))
