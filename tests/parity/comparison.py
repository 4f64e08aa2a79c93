"""Says in one sentence how a result differs from PyTorch's, or None where it does not."""

from __future__ import annotations

from typing import Any

import torch
from tests.parity.conversion import to_torch

RELATIVE = {
    torch.float16: 1e-3,
    torch.bfloat16: 1.6e-2,
    torch.float32: 1.3e-6,
    torch.float64: 1e-7,
    torch.complex64: 1.3e-6,
    torch.complex128: 1e-7,
}
ABSOLUTE = {
    torch.float16: 1e-5,
    torch.bfloat16: 1e-5,
    torch.float32: 1e-5,
    torch.float64: 1e-7,
    torch.complex64: 1e-5,
    torch.complex128: 1e-7,
}


class Tolerance:
    """PyTorch's own rule: assert_close's defaults by dtype, widened by an entry's override for the dtype tested."""

    def __init__(self, relative: float = 0.0, absolute: float = 0.0):
        self.relative = relative
        self.absolute = absolute

    def of(self, dtype: torch.dtype) -> tuple[float, float]:
        if dtype not in RELATIVE:
            return 0.0, 0.0
        return max(self.relative, RELATIVE[dtype]), max(self.absolute, ABSOLUTE[dtype])


def significant_strides(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of the dimensions that are ever stepped along; the others are unspecified."""
    if 0 in shape:
        return ()
    return tuple(stride for size, stride in zip(shape, strides) if size > 1)


def name_of(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


def difference(
    actual: Any,
    expected: Any,
    library: Any,
    tolerance: Tolerance,
    *,
    strides: bool = True,
    values: bool = True,
    where: str = "result",
) -> str | None:
    """`values=False` compares the metadata only (uninitialised memory)."""
    if isinstance(expected, torch.Tensor):
        return tensor_difference(actual, expected, library, tolerance, strides, values, where)
    if isinstance(expected, torch.Size):
        if not isinstance(actual, library.Size) or tuple(actual) != tuple(expected):
            return f"{where}: {actual!r} instead of {expected!r}"
        return None
    if isinstance(expected, (list, tuple)):
        if not isinstance(actual, (list, tuple)) or isinstance(actual, list) != isinstance(expected, list):
            return f"{where}: a {type(actual).__name__} instead of a {type(expected).__name__}"
        if len(actual) != len(expected):
            return f"{where}: {len(actual)} items instead of {len(expected)}"
        fields = named_fields(expected)
        for name in fields:
            if not hasattr(actual, name):
                return f"{where}: no field .{name}"
        for position, (one, other) in enumerate(zip(actual, expected)):
            inner = f"{where}.{fields[position]}" if fields else f"{where}[{position}]"
            found = difference(one, other, library, tolerance, strides=strides, values=values, where=inner)
            if found:
                return found
        return None
    if isinstance(expected, dict):
        if not isinstance(actual, dict) or list(actual) != list(expected):
            return f"{where}: keys {list(actual) if isinstance(actual, dict) else actual!r} instead of {list(expected)}"
        for key, value in expected.items():
            found = difference(
                actual[key], value, library, tolerance, strides=strides, values=values, where=f"{where}[{key!r}]"
            )
            if found:
                return found
        return None
    if isinstance(expected, (torch.dtype, torch.device, torch.memory_format, torch.layout)):
        return None if name_of(actual) == name_of(expected) else f"{where}: {actual!r} instead of {expected!r}"
    if isinstance(expected, (float, complex)):
        if type(actual) is not type(expected):
            return f"{where}: a {type(actual).__name__} instead of a {type(expected).__name__}"
        dtype = torch.float64 if isinstance(expected, float) else torch.complex128
        relative, absolute = max(tolerance.relative, 1.3e-6), max(tolerance.absolute, 1e-5)
        close = torch.isclose(
            torch.tensor(actual, dtype=dtype), torch.tensor(expected, dtype=dtype), relative, absolute, equal_nan=True
        )
        return None if close else f"{where}: {actual!r} instead of {expected!r}"
    if expected is None or isinstance(expected, (bool, int, str)):
        same = type(actual) is type(expected) and actual == expected
        return None if same else f"{where}: {actual!r} instead of {expected!r}"
    return None if type(actual).__name__ == type(expected).__name__ else f"{where}: {actual!r} instead of {expected!r}"


def named_fields(result: Any) -> tuple[str, ...]:
    if type(result).__module__ == "torch.return_types":
        return tuple(type(result).__match_args__)
    return tuple(getattr(type(result), "_fields", ()))


def tensor_difference(
    actual: Any, expected: torch.Tensor, library: Any, tolerance: Tolerance, strides: bool, values: bool, where: str
) -> str | None:
    if not isinstance(actual, library.Tensor):
        return f"{where}: a {type(actual).__name__} instead of a Tensor"
    if tuple(actual.shape) != tuple(expected.shape):
        return f"{where}: shape {tuple(actual.shape)} instead of {tuple(expected.shape)}"
    if name_of(actual.dtype) != name_of(expected.dtype):
        return f"{where}: {name_of(actual.dtype)} instead of {name_of(expected.dtype)}"
    if expected.layout != torch.strided:
        return None
    if values:
        found = value_difference(to_torch(actual, library), expected.detach(), tolerance, where)
        if found:
            return found
    if strides:
        shape = tuple(expected.shape)
        if significant_strides(shape, tuple(actual.stride())) != significant_strides(shape, expected.stride()):
            return f"{where}: strides {tuple(actual.stride())} instead of {expected.stride()} for shape {shape}"
    return None


def value_difference(actual: torch.Tensor, expected: torch.Tensor, tolerance: Tolerance, where: str) -> str | None:
    if expected.dtype == torch.complex32:
        expected, actual = expected.to(torch.complex64), actual.to(torch.complex64)
    if torch.equal(actual, expected):
        return None
    relative, absolute = tolerance.of(expected.dtype)
    try:
        torch.testing.assert_close(
            actual, expected, rtol=relative, atol=absolute, equal_nan=True, check_stride=False, check_device=False
        )
    except AssertionError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{where}: values differ: {'; '.join(lines[1:4])}"
    return None
