"""Which primitives, on which dtypes, the native tier computes itself; what it leaves to NumPy is listed here, with the reason.

``python -m tests.native.test_coverage`` prints the table.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import flambeau.primitives
from flambeau.core import dtypes
from flambeau.core.dtypes import dtype, float32
from flambeau.core.specs import spec
from flambeau.native.fusion import fuse
from flambeau.primitives.registry import primitives

from .harness import one_line, strides_of

for _module in pkgutil.iter_modules(flambeau.primitives.__path__):
    importlib.import_module(f"flambeau.primitives.{_module.name}")

KINDS = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip
NUMBERS = frozenset(KINDS[1:])
COMPLEX = frozenset(("complex64", "complex128"))
INTEGERS = frozenset(KINDS[1:9])
NARROW = frozenset(("float16", "bfloat16"))

_LAPACK = "LAPACK's algorithms run as they are"
_DYNAMIC = "the shape of the result depends on the numbers: it never stands in a program"
_SORTING = "NumPy's sorts are fast already"
_FFT = "NumPy's transforms are fast already"
_SERIES = "as many terms as its numbers ask for, and seldom wanted"
_SELDOM = "seldom wanted of complex numbers"
#: What is left to NumPy: for which dtypes (None: all), and why.
EXCEPTIONS: dict[str, tuple[frozenset[str] | None, str]] = {
    **dict.fromkeys(
        (
            "cholesky_factor", "lu_factor", "exchanged_rows", "solve", "triangular_solve", "qr_factor", "qr_reflectors",
            "symmetric_eigenvalues", "symmetric_eigen", "general_eigenvalues", "general_eigen", "singular_values",
            "singular_decomposition", "ldl_factor", "ldl_solve", "matrix_exponential",
        ),
        (None, _LAPACK),
    ),
    **dict.fromkeys(("fourier", "fourier_of_real", "fourier_to_real"), (None, _FFT)),
    **dict.fromkeys(("argument_sort", "row_order"), (None, _SORTING)),
    **dict.fromkeys(("nonzero", "compress"), (None, _DYNAMIC)),
    **dict.fromkeys(("hurwitz_zeta", "incomplete_gamma", "orthogonal_polynomial"), (None, _SERIES)),
    **dict.fromkeys(
        (
            "power", "exp2", "expm1", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos",
            "arctan", "arcsinh", "arccosh", "arctanh", "reduce_product", "reduce_max", "reduce_min", "argument_max",
            "argument_min", "maximum", "minimum", "fmax", "fmin", "less", "less_equal", "greater", "greater_equal",
            "member", "search_sorted", "round_half_even", "floor", "ceil", "truncate", "sign_bit", "reinterpret",             "checked",
        ),
        (COMPLEX, _SELDOM),
    ),
}  # fmt: skip


EXCEPTIONS |= {
    name: (INTEGERS | {"bool"}, "as good as never wanted of integers")
    for name in ("convolution", "convolution_input_gradient", "convolution_weight_gradient")
}
FLOATING = NARROW | {"float32", "float64"}
#: What operators use a primitive for, where its reference would take more.
TAKES: dict[str, frozenset[str]] = {
    **dict.fromkeys(("real", "imaginary"), COMPLEX),
    **dict.fromkeys(("floor_divide_exact", "truncating_divide", "integer_power"), INTEGERS),
    **dict.fromkeys(
        (
            "floor_divide", "mantissa_and_exponent", "special_function", "erf", "erfc", "recurrence", "recurrence_gradient",
            "max_window",
        ),
        FLOATING,
    ),
    "power": FLOATING | COMPLEX,
    "make_complex": frozenset(("float32", "float64")),
    **dict.fromkeys(("sum_window", "spread_window", "add_at_window"), NUMBERS - COMPLEX),
}


def _array(kind: dtype, *shape: int) -> Any:
    drawn = np.random.default_rng(0).integers(1, 3, shape)
    return drawn.astype(kind.numpy)


_WINDOW = {"kernel": (2, 2), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
_STEPS = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
_INDEX = np.array([1, 0, 1])
_BINARY = frozenset((
    "add", "subtract", "multiply", "divide", "maximum", "minimum", "fmax", "fmin", "power", "arctan2", "hypot", "copysign",
    "nextafter", "greatest_common_divisor", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right", "floor_divide_exact", "truncating_divide",
    "floor_divide", "remainder", "truncating_remainder", "integer_power", "hurwitz_zeta",
))  # fmt: skip


def _recurrence(kind: dtype) -> Any:
    return (_array(kind, 6, 4), _array(kind, 2, 4), None, _array(kind, 4, 4), None, None, None)


def _recurrence_gradient(kind: dtype) -> Any:
    grads = _array(kind, 6, 4), _array(kind, 2, 4), None
    return (*grads, _array(kind, 2, 4), None, _array(kind, 4, 4), None, None, None, _array(kind, 6, 4), _array(kind, 6, 4))


#: A call of each primitive: operands for a dtype, and parameters.
SAMPLES: dict[str, tuple[Callable[[dtype], tuple[Any, ...]], dict[str, Any] | Callable[[dtype], dict[str, Any]]]] = {
    "select": (lambda k: (np.array([True, False]), _array(k, 2), _array(k, 2)), {}),
    "cast": (lambda k: (_array(k, 3),), {"dtype": float32}),
    "number": (lambda k: (True,), lambda k: {"dtype": k}),
    "full": (lambda k: (1,), lambda k: {"dtype": k, "shape": (3,)}),
    "iota": (lambda k: (), lambda k: {"dtype": k, "shape": (3, 2), "axis": 0}),
    "reinterpret": (lambda k: (_array(k, 3),), lambda k: {"dtype": k}),
    "make_complex": (lambda k: (_array(k, 3), _array(k, 3)), {}),
    "member": (lambda k: (_array(k, 5), _array(k, 2)), {}),
    "special_function": (lambda k: (_array(k, 5),), {"of": "log_gamma"}),
    "incomplete_gamma": (lambda k: (_array(k, 5), _array(k, 5)), {"upper": False}),
    "orthogonal_polynomial": (lambda k: (_array(k, 5), _array(k, 5)), {"of": "legendre_p"}),
    **{
        name: (lambda k: (_array(k, 3, 4),), {"axes": (1,)})
        for name in ("reduce_max", "reduce_min", "reduce_any", "reduce_all", "reverse")
    },
    **{
        name: (lambda k: (_array(k, 3, 4),), lambda k: {"axes": (1,), "dtype": k})
        for name in ("reduce_sum", "reduce_product")
    },
    **{name: (lambda k: (_array(k, 3, 4),), {"axis": 1}) for name in ("argument_max", "argument_min")},
    "scan": (lambda k: (_array(k, 3, 4),), lambda k: {"axis": 1, "combine": "add", "dtype": k}),
    "argument_sort": (lambda k: (_array(k, 5),), {"axis": 0, "descending": False}),
    "row_order": (lambda k: (_array(k, 5, 2),), {}),
    "search_sorted": (lambda k: (_array(k, 5), _array(k, 3)), {"right": False}),
    "matrix_multiply": (lambda k: (_array(k, 3, 4), _array(k, 4, 5)), {}),
    "reshape": (lambda k: (_array(k, 3, 4),), {"shape": (2, 6)}),
    "transpose": (lambda k: (_array(k, 3, 4),), {"axes": (1, 0)}),
    "broadcast": (lambda k: (_array(k, 3, 1),), {"shape": (3, 4)}),
    "slice": (lambda k: (_array(k, 5),), {"starts": (1,), "stops": (4,), "steps": (2,)}),
    "concatenate": (lambda k: (_array(k, 5), _array(k, 2)), {"axis": 0}),
    "strided_window": (
        lambda k: (_array(k, 6),), lambda k: {"layout": spec((6,), k), "of": spec((2,), k, (3,)), "offset": 1}
    ),
    "strided_update": (
        lambda k: (_array(k, 6), _array(k, 2)), lambda k: {"layout": spec((6,), k), "of": spec((2,), k, (3,)), "offset": 1}
    ),
    "gather_at": (lambda k: (_array(k, 3, 4), _INDEX), {"axes": (0,)}),
    "put_at": (lambda k: (_array(k, 3, 4), _array(k, 3, 4), _INDEX), {"axes": (0,), "combine": "assign"}),
    "gather_along": (lambda k: (_array(k, 3), _INDEX), {"axis": 0}),
    "put_along": (lambda k: (_array(k, 3), _INDEX, _array(k, 3)), {"axis": 0, "combine": "assign"}),
    "accumulate_strided": (lambda k: (_array(k, 3),), {"strides": (2,), "offset": 1, "count": 6}),
    "nonzero": (lambda k: (_array(k, 3),), {}),
    "compress": (lambda k: (_array(k, 3), np.array([True, False, True])), {}),
    "checked": (lambda k: (_array(k, 3), np.ones(3, np.bool_)), {"error": "ValueError", "message": "{}"}),
    "max_window": (lambda k: (_array(k, 1, 2, 4, 4),), {**_WINDOW, "out": (3, 3)}),
    "sum_window": (lambda k: (_array(k, 1, 2, 4, 4),), {**_WINDOW, "out": (3, 3)}),
    "spread_window": (lambda k: (_array(k, 1, 2, 3, 3),), {**_WINDOW, "sizes": (4, 4)}),
    "add_at_window": (
        lambda k: (_array(k, 1, 2, 3, 3), np.zeros((1, 2, 3, 3), np.int64)), {"sizes": (4, 4), "distinct": False}
    ),
    "unfold_windows": (lambda k: (_array(k, 1, 2, 4, 4),), {**_WINDOW, "out": (3, 3)}),
    "fold_windows": (lambda k: (_array(k, 1, 8, 9),), {**_WINDOW, "sizes": (4, 4), "out": (3, 3)}),
    "convolution": (lambda k: (_array(k, 1, 2, 4, 4), _array(k, 3, 2, 3, 3)), _STEPS),
    "convolution_input_gradient": (
        lambda k: (_array(k, 1, 3, 4, 4), _array(k, 3, 2, 3, 3)), {**_STEPS, "sizes": (4, 4)}
    ),
    "convolution_weight_gradient": (
        lambda k: (_array(k, 1, 3, 4, 4), _array(k, 1, 2, 4, 4)), {**_STEPS, "kernel": (3, 3)}
    ),
    "recurrence": (_recurrence, {"kind": "tanh", "reverse": False, "batch": 2}),
    "recurrence_gradient": (_recurrence_gradient, {"kind": "tanh", "reverse": False, "batch": 2}),
}  # fmt: skip


def by_numpy(name: str, kind: dtype) -> bool | None:
    """Whether the primitive on the dtype is left to NumPy; None where its reference does not take the dtype."""
    if kind.name not in TAKES.get(name, KINDS):
        return None
    if name in SAMPLES:
        make, parameters = SAMPLES[name]
        parameters = parameters(kind) if callable(parameters) else parameters
    else:
        make, parameters = (lambda k: (_array(k, 3, 4),) * (2 if name in _BINARY else 1)), {}
    operands = make(kind)
    try:
        with np.errstate(all="ignore"):
            made = primitives[name].reference(*operands, **parameters)
        program, arrays = one_line(name, *operands, **parameters)
    except Exception:
        return None
    made = made if isinstance(made, tuple) else (made,)
    wanted = [program.types[k] for k in program.outputs]
    if any(each.dtype.numpy != np.asarray(x).dtype for each, x in zip(wanted, made)):
        return None
    steps, _ = fuse(program, {k: strides_of(each) for k, each in enumerate(arrays)})
    return any(step.line is not None for step in steps)


def listed() -> list[str]:
    """The primitives that take arrays of several dtypes."""
    return sorted(name for name in primitives if name not in EXCEPTIONS or EXCEPTIONS[name][0] is not None)


@pytest.mark.parametrize("kind", KINDS)
def test_all_but_the_listed_is_native(kind: str) -> None:
    left, tried = [], 0
    for name in listed():
        only = EXCEPTIONS.get(name, (frozenset(), ""))[0] or frozenset()
        found = by_numpy(name, dtypes.by_name(kind))
        tried += found is not None
        if found and kind not in only:
            left.append(name)
    assert tried > 30
    assert not left, f"{kind}: {left} are left to NumPy"


def test_every_exception_is_a_primitive() -> None:
    assert not EXCEPTIONS.keys() - primitives.keys()


def table() -> str:
    """Primitives × dtypes: ● native, n NumPy, · not taken."""
    marks = {True: "n", False: "●", None: "·"}
    lines = [f"{'':28}{' '.join(f'{kind[:4]:4}' for kind in KINDS)}"]
    for name in sorted(primitives):
        if name in EXCEPTIONS and EXCEPTIONS[name][0] is None:
            lines.append(f"{name:28}NumPy: {EXCEPTIONS[name][1]}")
        else:
            row = [marks[by_numpy(name, dtypes.by_name(kind))] for kind in KINDS]
            lines.append(f"{name:28}{' '.join(f'{mark:4}' for mark in row)}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
