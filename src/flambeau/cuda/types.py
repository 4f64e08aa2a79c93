"""Tensor and storage types of CUDA devices: for ``isinstance``, which is never true; none can be made."""

from __future__ import annotations

from typing import Any

from .availability import MISSING


def _tensor_type(name: str) -> type:
    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"type torch.cuda.{name} not available. {MISSING}.")

    return type(name, (), {"__new__": new, "__module__": "torch.cuda", "__doc__": "A type that has no tensors."})


def _storage_type(name: str) -> type:
    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError(MISSING)

    return type(name, (), {"__new__": new, "__module__": "torch.cuda", "__doc__": "A type that has no storages."})


BFloat16Tensor = _tensor_type("BFloat16Tensor")
BoolTensor = _tensor_type("BoolTensor")
ByteTensor = _tensor_type("ByteTensor")
CharTensor = _tensor_type("CharTensor")
DoubleTensor = _tensor_type("DoubleTensor")
FloatTensor = _tensor_type("FloatTensor")
HalfTensor = _tensor_type("HalfTensor")
IntTensor = _tensor_type("IntTensor")
LongTensor = _tensor_type("LongTensor")
ShortTensor = _tensor_type("ShortTensor")

BFloat16Storage = _storage_type("BFloat16Storage")
BoolStorage = _storage_type("BoolStorage")
ByteStorage = _storage_type("ByteStorage")
CharStorage = _storage_type("CharStorage")
ComplexDoubleStorage = _storage_type("ComplexDoubleStorage")
ComplexFloatStorage = _storage_type("ComplexFloatStorage")
DoubleStorage = _storage_type("DoubleStorage")
FloatStorage = _storage_type("FloatStorage")
HalfStorage = _storage_type("HalfStorage")
IntStorage = _storage_type("IntStorage")
LongStorage = _storage_type("LongStorage")
ShortStorage = _storage_type("ShortStorage")
