"""``assert_close``: nested structures of tensors and numbers, compared within tolerances."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograd.grad_mode import no_grad
from ..core import dtypes
from ..operators.declaration import functions
from ..tensor import Tensor

#: (rtol, atol) where none are given; dtypes that are not here are compared exactly.
TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
    dtypes.complex32: (1e-3, 1e-5),
    dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}
_NUMBERS = (bool, int, float, complex, np.number)


class _Mismatch(Exception):
    """What differs, and at which place of the structure."""

    def __init__(self, message: str, path: tuple[Any, ...]) -> None:
        super().__init__(message)
        self.path = path


class _Comparison:
    """The options of one call."""

    def __init__(self, rtol: float | None, atol: float | None, equal_nan: bool, **checks: bool) -> None:
        if (rtol is None) is not (atol is None):
            missing = "rtol" if rtol is None else "atol"
            raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
        self.rtol, self.atol, self.equal_nan, self.checks = rtol, atol, equal_nan, checks

    def tolerances(self, *kinds: dtypes.dtype) -> tuple[float, float]:
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        found = [TOLERANCES.get(kind, (0.0, 0.0)) for kind in kinds]
        return max(each[0] for each in found), max(each[1] for each in found)

    # -- structures ---------------------------------------------------------------------------------------------------

    def compare(self, actual: Any, expected: Any, path: tuple[Any, ...] = ()) -> None:
        """Raise _Mismatch for the first difference, TypeError for what cannot be compared."""
        if _is_sequence(actual) and _is_sequence(expected):
            if len(actual) != len(expected):
                raise _Mismatch(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", path)
            for place, (one, other) in enumerate(zip(actual, expected)):
                self.compare(one, other, (*path, place))
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            missing, additional = expected.keys() - actual.keys(), actual.keys() - expected.keys()
            if missing or additional:
                raise _Mismatch(
                    "The keys of the mappings do not match:\n"
                    f"Missing keys in the actual mapping: {sorted(missing, key=str)}\n"
                    f"Additional keys in the actual mapping: {sorted(additional, key=str)}",
                    path,
                )
            for key in sorted(expected, key=str):
                self.compare(actual[key], expected[key], (*path, key))
        elif actual is None or expected is None:
            if actual is not expected:
                raise _Mismatch(f"None mismatch: {actual} is not {expected}", path)
        elif isinstance(actual, (bool, np.bool_)) and isinstance(expected, (bool, np.bool_)):
            if actual != expected:
                raise _Mismatch(f"Booleans mismatch: {actual} is not {expected}", path)
        elif isinstance(actual, _NUMBERS) and isinstance(expected, _NUMBERS):
            self.numbers(actual, expected, path)
        elif self._are_tensors(actual, expected):
            self.tensors(_as_tensor(actual), _as_tensor(expected), path)
        else:
            raise TypeError(
                f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
                + _location(path)
            )

    def _are_tensors(self, actual: Any, expected: Any) -> bool:
        if not self.checks["subclasses"] and type(actual) is not type(expected):
            return False
        directly_related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        return directly_related and isinstance(actual, (Tensor, np.ndarray)) and isinstance(expected, (Tensor, np.ndarray))

    # -- leaves -------------------------------------------------------------------------------------------------------

    def numbers(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if self.checks["dtype"] and type(actual) is not type(expected):
            raise _Mismatch(f"The (d)types do not match: {type(actual)} != {type(expected)}.", path)
        kinds = {int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128}
        rtol, atol = self.tolerances(kinds.get(type(actual), dtypes.float64), kinds.get(type(expected), dtypes.float64))
        difference = abs(actual - expected)
        finite = not (np.isinf(actual) or np.isinf(expected) or np.isnan(difference))
        if actual == expected or (finite and difference <= atol + rtol * abs(expected)):
            return
        if self.equal_nan and actual != actual and expected != expected:
            return
        raise _Mismatch(
            self._scalar_message(actual, expected, difference, rtol, atol),
            path,
        )

    def _scalar_message(self, actual: Any, expected: Any, difference: Any, rtol: float, atol: float) -> str:
        exact = rtol == 0 and atol == 0
        relative = float("inf") if expected == 0 else difference / abs(expected)
        return (
            f"Scalars are not {'equal' if exact else 'close'}!\n\n"
            f"Expected {expected} but got {actual}.\n"
            f"Absolute difference: {difference}{'' if exact else f' (up to {atol} allowed)'}\n"
            f"Relative difference: {relative}{'' if exact else f' (up to {rtol} allowed)'}"
        )

    def tensors(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        def same(name: str, one: Any, other: Any) -> None:
            if one != other:
                raise _Mismatch(f"The values for attribute '{name}' do not match: {one} != {other}.", path)

        same("shape", actual.shape, expected.shape)
        if self.checks["layout"]:
            same("layout", actual.layout, expected.layout)
        if self.checks["device"]:
            same("device", actual.device, expected.device)
        if self.checks["dtype"]:
            same("dtype", actual.dtype, expected.dtype)
        if self.checks["stride"]:
            same("stride()", actual.stride(), expected.stride())
        rtol, atol = self.tolerances(actual.dtype, expected.dtype)
        one, other = actual.detach(), expected.detach()
        if one.dtype is not other.dtype:
            kind = dtypes.promote_types(one.dtype, other.dtype)
            one, other = one.to(kind), other.to(kind)
        close = functions["isclose"](one, other, rtol, atol, self.equal_nan)
        if close.all().item():
            return
        raise _Mismatch(self._tensor_message(one, other, close, rtol, atol), path)

    def _tensor_message(self, one: Any, other: Any, close: Any, rtol: float, atol: float) -> str:
        wrong, count = int((~close).sum().item()), close.numel()
        if one.dtype in (dtypes.bool_, dtypes.uint8, dtypes.int8, dtypes.int16, dtypes.int32):
            one, other = one.to(dtypes.int64), other.to(dtypes.int64)
        difference = (one - other).abs()
        if count == 1:
            message = self._scalar_message(one.item(), other.item(), difference.item(), rtol, atol)
            return message
        exact = rtol == 0 and atol == 0
        difference = difference.masked_fill(close, 0)
        relative = (difference / other.abs()).masked_fill(close, 0)
        lines = [f"Tensor-likes are not {'equal' if exact else 'close'}!\n"]
        lines.append(f"Mismatched elements: {wrong} / {count} ({wrong / count:.1%})")
        for what, found, allowed in (("absolute", difference, atol), ("relative", relative, rtol)):
            place = int(found.reshape(-1).argmax().item())
            where = tuple(int(index) for index in np.unravel_index(place, tuple(found.shape)))
            greatest = found.reshape(-1)[place].item()
            lines.append(f"Greatest {what} difference: {greatest} at index {where}" + ("" if exact else f" (up to {allowed} allowed)"))
        return "\n".join(lines)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _as_tensor(value: Any) -> Any:
    return value if isinstance(value, Tensor) else functions["from_numpy"](value)


def _location(path: tuple[Any, ...]) -> str:
    return "\n\nThe failure occurred for item " + "".join(f"[{key!r}]" for key in path) if path else ""


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Assert that |actual - expected| ≤ atol + rtol·|expected|, for tensors, numbers, and sequences and mappings of them.

    Args:
        rtol, atol: both or none; by default by dtype (float32: 1.3e-6 and 1e-5; integers: exactly equal).
        equal_nan: whether two NaN are close.
        msg: the message on failure, or a function from the one that would be given.

    Raises:
        AssertionError: they are not close; the message says where they differ most.
        TypeError: the two cannot be compared.

    >>> import flambeau as torch
    >>> torch.testing.assert_close(torch.ones(2), torch.ones(2) + 1e-7)
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    comparison = _Comparison(
        rtol, atol, equal_nan, subclasses=allow_subclasses, device=check_device, dtype=check_dtype, layout=check_layout,
        stride=check_stride,
    )  # fmt: skip
    with no_grad():
        try:
            comparison.compare(actual, expected)
        except _Mismatch as found:
            message = str(found) + _location(found.path)
            raise AssertionError(message if msg is None else msg if isinstance(msg, str) else msg(message)) from None


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = True, msg: str = ""
) -> None:
    """:func:`assert_close` that converts both sides to tensors and ignores dtypes. Deprecated."""
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please use "
        "`torch.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=2,
    )
    one, other = (each if isinstance(each, Tensor) else functions["tensor"](each) for each in (actual, expected))
    if rtol is None and atol is None:
        tolerances = [TOLERANCES.get(each.dtype, (0.0, 0.0)) for each in (one, other)]
        rtol, atol = max(each[0] for each in tolerances), max(each[1] for each in tolerances)
    assert_close(one, other, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, check_stride=False, msg=msg or None)
