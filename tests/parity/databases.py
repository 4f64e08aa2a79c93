"""PyTorch's operator database: its entries, which of them the library has, their samples and tolerances."""

from __future__ import annotations

import functools
import random
import types
import zlib
from typing import Any

import numpy
import torch
from tests.parity.comparison import Tolerance
from tests.parity.conversion import Converter, NotConvertible, attribute_at
from torch.testing._internal.common_device_type import precisionOverride, toleranceOverride
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import DecorateInfo, OpInfo, SampleInput

DTYPES = (torch.float32, torch.float64, torch.complex64, torch.int64, torch.bool)

# What PyTorch itself does not define: only dtype, shape and strides of these results are compared.
UNINITIALISED = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided", "resize_"}
UNINITIALISED |= {"resize_as_"}

# The strides of these results are those in which the FFT or LAPACK library that PyTorch was built with left its buffer.
STRIDES_OPEN = {"cholesky", "linalg.lstsq", "linalg.solve", "linalg.solve_ex", "linalg.solve_triangular"}
STRIDES_OPEN |= {"linalg.tensorinv"} | {entry.name for entry in op_db if entry.name.startswith("fft.")}

# Which of equal values an index names is open; by operator, the place of the dimension among the arguments.
TIES = {"argsort": 0, "kthvalue": 1, "median": 0, "mode": 0, "nanmedian": 0, "sort": 0, "topk": 1}


def full_name(entry: OpInfo) -> str:
    return f"{entry.name}.{entry.variant_test_name}" if entry.variant_test_name else entry.name


@functools.cache
def entries() -> dict[str, OpInfo]:
    """By name; a variant's name follows a dot."""
    return {full_name(entry): entry for entry in op_db}


def matching(names: list[str]) -> list[OpInfo]:
    """Entries whose full name, name or last part of the name (`softmin`) is among the names; all when none given."""
    if not names:
        return list(entries().values())
    found = []
    for entry in entries().values():
        known_as = {full_name(entry), entry.name, entry.name.rpartition(".")[2]}
        known_as.add(entry.name.partition(".")[0] + ".*")
        if known_as & set(names):
            found.append(entry)
    return found


def seed_everything(*key: Any) -> int:
    seed = zlib.crc32(repr([str(part) for part in key]).encode())
    torch.manual_seed(seed)
    random.seed(seed)
    numpy.random.seed(seed)
    return seed


def samples(entry: OpInfo, dtype: torch.dtype, *, requires_grad: bool) -> list[SampleInput]:
    seed_everything(full_name(entry), dtype, requires_grad)
    return list(entry.sample_inputs("cpu", dtype, requires_grad=requires_grad))


def error_samples(entry: OpInfo) -> list[Any]:
    seed_everything(full_name(entry), "errors")
    return list(entry.error_inputs("cpu"))


def tolerance(entry: OpInfo, dtype: torch.dtype) -> Tolerance:
    """The widest override that the entry declares for a CPU test in this dtype."""
    result = Tolerance()
    for decorator in entry.decorators or ():
        if isinstance(decorator, DecorateInfo):
            if decorator.device_type not in (None, "cpu"):
                continue
            overrides = decorator.decorators
        else:
            overrides = [decorator]
        for override in overrides:
            if isinstance(override, toleranceOverride) and dtype in override.d:
                result.absolute = max(result.absolute, override.d[dtype].atol)
                result.relative = max(result.relative, override.d[dtype].rtol)
            elif isinstance(override, precisionOverride) and dtype in override.d:
                result.absolute = max(result.absolute, override.d[dtype])
    return result


def is_wrapped(function: Any) -> bool:
    """Whether the function was written for the database, around the operator."""
    return isinstance(function, types.FunctionType) and function.__module__.startswith("torch.testing")


def function_of(entry: OpInfo, library: Any) -> Any:
    """The library's callable for the entry, or None where the library does not have the operator."""
    if library is torch:
        return entry.op
    name = entry.name
    if is_wrapped(entry.op):
        candidates = [f"Tensor.{name}", f"Tensor.{name}_"]
        if not entry.op.__code__.co_names or set(entry.op.__code__.co_names) & {"torch", "wrapper_set_seed"}:
            candidates.append(name)  # `torch.bool` is a dtype: where only a method is called, there must be one
        if all(attribute_at(library, path) is None for path in candidates):
            return None
        try:
            return Converter(library).function(entry.op)
        except NotConvertible:
            return None
    if attribute_at(torch, name) is entry.op:
        return attribute_at(library, name)
    if attribute_at(torch.Tensor, name) is entry.op:
        return attribute_at(library.Tensor, name)
    return None


def variant_of(function: Any, library: Any) -> Any:
    """The library's counterpart of a method, in-place or operator variant; None where it is absent."""
    if library is torch:
        return function
    name = getattr(function, "__name__", "")
    if attribute_at(torch.Tensor, name) is function:
        return attribute_at(library.Tensor, name)
    try:
        return Converter(library).function(function)
    except NotConvertible:
        return None
