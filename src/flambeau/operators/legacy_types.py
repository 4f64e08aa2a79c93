"""``FloatTensor``, ``LongTensor`` …: constructors of one dtype, from the time when each dtype had a class of its own."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..core.devices import device as as_device
from ..core.dtypes import (
    FLOATING,
    bfloat16,
    bool_,
    complex64,
    complex128,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)  # fmt: skip
from ..core.sizes import Size
from ..tracing.handles import Classes, Handle
from . import creation

#: The dtype of each class.
DTYPES = {
    "BFloat16Tensor": bfloat16, "BoolTensor": bool_, "ByteTensor": uint8, "CharTensor": int8,
    "ComplexDoubleTensor": complex128, "ComplexFloatTensor": complex64, "DoubleTensor": float64, "FloatTensor": float32,
    "HalfTensor": float16, "IntTensor": int32, "LongTensor": int64, "ShortTensor": int16,
}  # fmt: skip


class tensortype(type):
    """The class of ``FloatTensor`` and the like: calling one makes a ``Tensor``; ``isinstance`` asks for the dtype.

    >>> import flambeau as torch
    >>> torch.LongTensor([1, 2]), isinstance(torch.ones(2), torch.FloatTensor)
    (tensor([1, 2]), True)
    """

    dtype: dtype
    is_cuda = is_sparse = False

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Handle) and instance._spec.dtype is cls.dtype

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return legacy_tensor(cls.dtype, args, kwargs, f"torch.{cls.__name__}")

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def legacy_tensor(kind: dtype, args: tuple[Any, ...], kwargs: dict[str, Any], name: str, any_dtype: bool = False) -> Any:
    """A tensor of dtype ``kind``: empty, of the sizes given, or of the numbers in a sequence.

    ``any_dtype``: a tensor given may be of another dtype, and stays so (``torch.Tensor``).

    Raises:
        TypeError: the arguments are nothing of this, or a tensor of another dtype is given.
    """
    if kwargs:
        find_on_cpu(kwargs.pop("device", None))
        args = (*args, *(kwargs.pop(key) for key in ("size", "data", "other") if key in kwargs and not args))
        if kwargs:
            given = ", ".join(f"{key}={type(value).__name__}" for key, value in kwargs.items())
            raise TypeError(f"new() received an invalid combination of arguments - got ({given}); it takes sizes or data")
    if not args:
        return creation.empty(0, dtype=kind)
    data = args[0]
    if len(args) > 1 or isinstance(data, (int, Size)) or (hasattr(data, "__index__") and not hasattr(data, "__len__")):
        return creation.empty(*args, dtype=kind)
    if isinstance(data, Handle):
        if data._spec.dtype is not kind and not any_dtype:
            raise TypeError(f"{name}: expected a tensor of dtype {kind} but got {data._spec.dtype}; use .to({kind})")
        return data.detach()
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    if not hasattr(data, "__getitem__") or isinstance(data, (dict, np.generic)):
        raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    return creation.tensor(data if hasattr(data, "__array__") else list(data), dtype=kind)


def find_on_cpu(device: Any) -> None:
    """Raise PyTorch's error for a device that is not the CPU."""
    if device is not None and as_device(device).type != "cpu":
        raise RuntimeError(
            f"legacy constructor expects device type: cpu but device type: {as_device(device).type} was passed"
        )


def _make(name: str) -> tensortype:
    return tensortype(name, (), {"__module__": "flambeau", "__doc__": f"Tensors of {DTYPES[name]}.", "dtype": DTYPES[name]})


def dtype_of_type(wanted: Any) -> dtype:
    """The dtype that a dtype, a class like ``FloatTensor`` or a name like ``"torch.FloatTensor"`` stands for.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(wanted, dtype):
        return wanted
    if isinstance(wanted, tensortype):
        return wanted.dtype
    if wanted is Classes.tensor or wanted == "torch.Tensor":
        return get_default_dtype()
    if not isinstance(wanted, (str, type)):
        raise TypeError("dtype must be a type, str, or dtype object")
    name = wanted if isinstance(wanted, str) else wanted.__name__
    short = name.removeprefix("torch.")
    if short in DTYPES and short != name:
        return DTYPES[short]
    if short.startswith("cuda."):
        raise RuntimeError(f"{name}: flambeau was built without CUDA; use the CPU type torch.{short[5:]}")
    raise ValueError(f"invalid type: '{name}'")


def set_default_tensor_type(t: Any) -> None:
    """Make a class like ``torch.DoubleTensor``, or its name, the type of tensors made from Python floats. Deprecated.

    Raises:
        TypeError: it is no type of floating-point tensors.
    """
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives.",
        stacklevel=2,
    )
    if isinstance(t, dtype):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    kind = dtype_of_type(t)
    if kind.category != FLOATING:
        raise TypeError("only floating-point types are supported as the default type")
    set_default_dtype(kind)


def __getattr__(name: str) -> Any:
    if name not in DTYPES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    made = globals()[name] = _make(name)
    return made
