"""What every operator on matrices needs: checks of shape and dtype, column-major results, errors from ``info``."""

from __future__ import annotations

from typing import Any

from ...core.dtypes import COMPLEX, FLOATING, int32
from ...core.errors import LinAlgError
from ...core.names import scalar_name
from ..contraction import conjugate_transpose

__all__ = [
    "adjoint", "by_columns", "check_floating", "check_matrix", "check_square", "columns", "hermitian_part", "identity",
    "raise_singular", "same_dtype",
]  # fmt: skip

adjoint = conjugate_transpose


def check_floating(name: str, x: Any, low: bool = False) -> None:
    """Raise PyTorch's error for integers (and half precision): matrices are factored in float32 and wider."""
    if x.dtype.category < FLOATING:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {scalar_name(x.dtype)}")
    if not low and (x.dtype.itemsize < 4 or x.dtype.name == "complex32"):
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {scalar_name(x.dtype)}")


def check_matrix(name: str, x: Any, argument: str = "A") -> None:
    """Raise PyTorch's error for what is no floating matrix or batch of matrices."""
    if len(x.shape) < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")
    check_floating(name, x)


def check_square(name: str, x: Any, argument: str = "A", floating: bool = True) -> None:
    """Raise PyTorch's error for what is no square floating matrix or batch of them."""
    if len(x.shape) < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")
    rows, width = x.shape[-2:]
    if rows != width:
        raise RuntimeError(
            f"{name}: {argument} must be batches of square matrices, but they are {rows} by {width} matrices"
        )
    if floating:
        check_floating(name, x)


def same_dtype(name: str, x: Any, y: Any, first: str = "A", second: str = "B") -> None:
    """Raise PyTorch's error for operands of different dtypes."""
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"{name}: Expected {first} and {second} to have the same dtype, but found {first} of type "
            f"{scalar_name(x.dtype)} and {second} of type {scalar_name(y.dtype)} instead"
        )


def columns(result: Any, operands: Any) -> Any:
    """Layout of matrices as LAPACK leaves them, column after column; vectors and codes lie as usual."""
    shape = tuple(result.shape)
    rank = max(len(each.shape) for each in operands)
    if len(shape) < 2 or len(shape) < rank or result.dtype is int32:
        return None
    rows, width = shape[-2:]
    steps = [1, max(rows, 1)]
    step = max(rows, 1) * max(width, 1)
    for size in reversed(shape[:-2]):
        steps.insert(0, step)
        step *= max(size, 1)
    return tuple(steps)


def identity(like: Any, size: int | None = None) -> Any:
    """The identity matrix of the dtype of ``like``, as large as its last dimension."""
    from ..declaration import functions

    return functions["eye"](like._spec.shape[-1] if size is None else size, dtype=like._spec.dtype, device=like._spec.device)


def by_columns(x: Any) -> Any:
    """The same matrices, each laid out column after column."""
    return x.mT.contiguous().mT


def hermitian_part(x: Any) -> Any:
    """The adjoint of taking an upper triangle with a real diagonal halved."""
    whole = x + adjoint(x)
    return whole - 0.5 * whole.tril().triu()


def raise_singular(name: str, info: Any, message: str, kind: type[Exception] = LinAlgError) -> None:
    """Raise for the first matrix whose ``info`` is not zero; ``{0}`` in the message is the code. A sync point."""
    codes = info.reshape(-1).tolist()
    for place, code in enumerate(codes):
        if code:
            which = f"(Batch element {place}): " if info._spec.ndim else ""
            raise kind(f"{name}: {which}{message.format(code)}")


def is_complex(x: Any) -> bool:
    """Whether a tensor is complex."""
    return bool(x._spec.dtype.category == COMPLEX)
