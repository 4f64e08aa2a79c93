"""Questions about tensors, as functions: ``numel``, ``is_floating_point``, ``result_type``, ``is_nonzero`` …"""

from __future__ import annotations

from typing import Any

from ..core.dtypes import dtype, dtype_of_number, result_dtype
from ..tracing.handles import Handle
from .declaration import functions, methods


def _tensor(name: str, input: Any) -> Any:
    if not isinstance(input, Handle):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    return input


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Handle)


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is a storage."""
    return any(each.__name__ in ("UntypedStorage", "TypedStorage") for each in type(obj).__mro__)


def numel(input: Any) -> int:
    """The number of elements.

    >>> import flambeau as torch
    >>> torch.numel(torch.zeros(2, 3))
    6
    """
    return int(_tensor("numel", input)._spec.numel)


def is_floating_point(input: Any) -> bool:
    """Whether the dtype is a floating one."""
    return bool(_tensor("is_floating_point", input)._spec.dtype.is_floating_point)


def is_complex(input: Any) -> bool:
    """Whether the dtype is a complex one."""
    return bool(_tensor("is_complex", input)._spec.dtype.is_complex)


def is_signed(input: Any) -> bool:
    """Whether the dtype has negative numbers."""
    return bool(_tensor("is_signed", input)._spec.dtype.is_signed)


def is_nonzero(input: Any) -> bool:
    """Whether the only element is not zero. A sync point."""
    return bool(_tensor("is_nonzero", input))


def is_inference(input: Any) -> bool:
    """Whether it was made in inference mode."""
    return bool(_tensor("is_inference", input)._inference)


def is_same_size(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape."""
    return bool(_tensor("is_same_size", input)._spec.shape == other._spec.shape)


def get_device(input: Any) -> int:
    """The index of the device; -1 for the CPU."""
    return int(_tensor("get_device", input).get_device())


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype that arithmetic on two operands, tensors or numbers, results in.

    >>> import flambeau as torch
    >>> torch.result_type(torch.tensor([1]), 1.5)
    torch.float32
    """
    dimensioned: list[dtype] = []
    scalars: list[dtype] = []
    numbers: list[int] = []
    for each in (tensor1, tensor2):
        if isinstance(each, Handle):
            (dimensioned if each._spec.ndim else scalars).append(each._spec.dtype)
        elif isinstance(each, (bool, int, float, complex)):
            numbers.append(dtype_of_number(each).category)
        else:
            raise TypeError(f"result_type() received an invalid combination of arguments - got ({type(each).__name__})")
    return result_dtype(dimensioned, scalars, numbers)


functions.update(
    is_tensor=is_tensor, is_storage=is_storage, numel=numel, is_floating_point=is_floating_point, is_complex=is_complex,
    is_signed=is_signed, is_nonzero=is_nonzero, is_inference=is_inference, is_same_size=is_same_size,
    get_device=get_device,
    result_type=result_type,
)  # fmt: skip
methods["is_same_size"] = is_same_size
