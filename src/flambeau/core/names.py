"""Names PyTorch uses for tensor types in messages and in ``Tensor.type()``."""

from __future__ import annotations

from .dtypes import dtype

_SCALAR_NAMES = {
    "bool": "Bool", "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long",
    "float16": "Half", "bfloat16": "BFloat16", "float32": "Float", "float64": "Double", "complex32": "ComplexHalf",
    "complex64": "ComplexFloat", "complex128": "ComplexDouble", "uint16": "UInt16", "uint32": "UInt32",
    "uint64": "UInt64", "float8_e4m3fn": "Float8_e4m3fn", "float8_e4m3fnuz": "Float8_e4m3fnuz",
    "float8_e5m2": "Float8_e5m2", "float8_e5m2fnuz": "Float8_e5m2fnuz", "float8_e8m0fnu": "Float8_e8m0fnu",
}  # fmt: skip


def scalar_name(of: dtype) -> str:
    """PyTorch's C++ name of a dtype: ``Float``, ``Long`` …"""
    return _SCALAR_NAMES[of.name]


def type_name(of: dtype) -> str:
    """The name of the tensor type: ``torch.FloatTensor`` …"""
    return f"torch.{scalar_name(of)}Tensor"
