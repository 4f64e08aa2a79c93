"""``flambeau.testing``: verdicts, messages and random numbers are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

COMPARISONS = """x, x + 1
x, x.clone()
x, x.double()
x, x[0]
x.long(), x.long() + 1
t.tensor(1.0), t.tensor(2.0)
1.0, 2.0
1, 2
[x, x], [x, x + 1]
{'a': x}, {'a': x + 1}
{'a': x}, {'b': x}
[x], [x, x]
x, x + 1, msg='hello'
x, x + 1, msg=lambda m: 'pre ' + m
x, [1, 2]
True, False
'a', 'b'
x, x * float('nan')
x * float('nan'), x * float('nan'), equal_nan=True
x, x + 1, rtol=0.1
x, x + 1, rtol=0, atol=0
x.bool(), ~x.bool()
x, x.T.contiguous().T, check_stride=True
x, x.numpy()
None, None
None, x
1, 1.0
x.to(t.bfloat16), x.to(t.bfloat16) * 1.5
x + 0j, x + 1j
x, x.long()
x, x.long(), check_dtype=False
1j, 2.0
{'a': [x, {'b': x}]}, {'a': [x, {'b': x + 1}]}
(x,), [x]
t.tensor([]), t.tensor([])
t.tensor(3), 3
t.nn.Parameter(x), x
t.nn.Parameter(x), x, allow_subclasses=False
t.tensor([1, 2], dtype=t.uint8), t.tensor([2, 2], dtype=t.uint8)
t.tensor(float('inf')), t.tensor(1.0)
x, x + 1e-8
np.ones(2), np.zeros(2)
t.tensor([float('inf'), 1.0]), t.tensor([1.0, 1.0])""".splitlines()

MADE = """4, dtype=t.float32
4, dtype=t.int64
4, dtype=t.bool
4, dtype=t.uint8
4, dtype=t.complex64
4, dtype=t.bfloat16
(2, 2), dtype=t.float32, low=0, high=1, requires_grad=True, noncontiguous=True
(2, 2), dtype=t.float32, exclude_zero=True
2, dtype=t.float32, low=3, high=1
2, dtype=t.float32, low=float('nan')
2, dtype=t.int64, low=1, high=2
2, dtype=t.int64, requires_grad=True
3, 3, dtype=t.int8, low=-1000, high=1000
(), dtype=t.float64""".splitlines()


def outcome(library: Any, call: str) -> str:
    library.manual_seed(0)
    names = {"t": library, "x": library.arange(6.0).view(2, 3), "np": np}
    try:
        return repr(eval(call, names))
    except Exception as error:
        text = str(error).replace("flambeau.", "torch.").replace("torch.tensor.Tensor", "torch.Tensor")
        return f"{type(error).__name__}: {text}"


@pytest.mark.parametrize("arguments", COMPARISONS)
def test_assert_close(arguments: str) -> None:
    call = f"t.testing.assert_close({arguments})"
    assert outcome(flambeau, call) == outcome(torch, call)


@pytest.mark.parametrize("arguments", MADE)
def test_make_tensor(arguments: str) -> None:
    call = f"t.testing.make_tensor({arguments}, device='cpu')"
    assert outcome(flambeau, call) == outcome(torch, call)


@pytest.mark.parametrize(
    "chain, text",
    [
        ("check('a').check_next('b')", "a\nb"),
        ("check('a').check_next('b')", "ab"),
        ("check('a').check_same('b')", "a\nb"),
        ("check_count('a', 2, exactly=True)", "aaa"),
        ("check_count('a', 2)", "aaa"),
        ("check_dag('b').check_dag('a')", "a b"),
        ("check('a').check_not('b').check('c')", "abc"),
        ("check('b').check('a')", "a b"),
    ],
)
def test_file_check(chain: str, text: str) -> None:
    def run(library: Any) -> Any:
        try:
            eval(f"check.{chain}", {"check": library.testing.FileCheck()}).run(text)
        except RuntimeError:
            return RuntimeError
        return None

    assert run(flambeau) is run(torch)
