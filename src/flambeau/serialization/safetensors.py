"""Files of tensors that hold nothing but tensors: safetensors, through the ``safetensors`` package.

``safetensors.torch`` itself works under ``flambeau run`` and ``flambeau.drop_in``; these functions need neither.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ..core.dtypes import _by_name as _dtypes_by_name
from ..operators.declaration import functions
from ..tracing.handles import Handle
from .saving import _replacing

__all__ = ["load", "load_file", "save", "save_file"]

#: Names of dtypes in files.
DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz",
}  # fmt: skip


def _package() -> Any:
    try:
        import safetensors
    except ImportError as error:
        raise ImportError("safetensors files need the safetensors package: pip install 'flambeau[safetensors]'") from error
    return safetensors


def save(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """The content of a safetensors file with these tensors; ``metadata`` are texts by name.

    Raises:
        ValueError: ``tensors`` is no dictionary of tensors, or one of them is not contiguous.
        RuntimeError: two of them share memory.

    >>> import flambeau as torch
    >>> from flambeau.serialization import safetensors
    >>> safetensors.load(safetensors.save({"a": torch.ones(2)}))
    {'a': tensor([1., 1.])}
    """
    package = _package()
    _check(tensors)
    specs = {
        name: package.TensorSpec(
            dtype=each.dtype.name, shape=list(each.shape), data_ptr=each.data_ptr(), data_len=each.nbytes
        )
        for name, each in tensors.items()
    }
    content: bytes = package.serialize(specs, metadata=None if metadata is None else dict(metadata))
    return content


def save_file(
    tensors: Mapping[str, Any], filename: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors to a safetensors file, which appears whole or not at all. Errors are :func:`save`'s.

    >>> import flambeau as torch, tempfile, os
    >>> from flambeau.serialization import safetensors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     safetensors.save_file({"a": torch.ones(2)}, os.path.join(folder, "a.safetensors"))
    """
    content = save(tensors, metadata)
    with _replacing(os.fspath(filename)) as file:
        file.write(content)


def load(data: bytes) -> dict[str, Any]:
    """The tensors in the content of a safetensors file.

    Raises:
        safetensors.SafetensorError: it is damaged, or is none.

    >>> from flambeau.serialization import safetensors
    >>> safetensors.load(safetensors.save({}))
    {}
    """
    return {name: _tensor(each) for name, each in _package().deserialize(bytes(data))}


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Any]:
    """The tensors in a safetensors file, on ``device``.

    Raises:
        safetensors.SafetensorError: it is damaged, or is none.
        FileNotFoundError: there is no such file.

    >>> import flambeau as torch, tempfile, os
    >>> from flambeau.serialization import safetensors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "a.safetensors")
    ...     safetensors.save_file({"a": torch.ones(2)}, path)
    ...     safetensors.load_file(path)
    {'a': tensor([1., 1.])}
    """
    with open(filename, "rb") as file:
        content = file.read()
    return {name: each.to(device) for name, each in load(content).items()}


def _tensor(described: Mapping[str, Any]) -> Any:
    of = _dtypes_by_name[DTYPES[described["dtype"]]]
    shape = list(described["shape"])
    if 0 in shape:
        return functions["empty"](shape, dtype=of)
    return functions["frombuffer"](described["data"], dtype=of).view(shape)


def _check(tensors: Any) -> None:
    if not isinstance(tensors, Mapping):
        raise ValueError(f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}")
    places: list[tuple[int, int, str]] = []
    for name, each in tensors.items():
        if not isinstance(each, Handle):
            raise ValueError(f"Key `{name}` is invalid, expected torch.Tensor but received {type(each)}")
        tensor: Any = each
        if tensor.dtype.name not in DTYPES.values():
            raise ValueError(f"`{name}` is of {tensor.dtype}, which safetensors files cannot hold")
        if not tensor.is_contiguous():
            raise ValueError(
                f"You are trying to save a non contiguous tensor: `{name}`, of shape {tuple(tensor.shape)} and strides "
                f"{tensor.stride()}. Save its .contiguous()"
            )
        if tensor.numel():
            places.append((tensor.data_ptr(), tensor.data_ptr() + tensor.nbytes, name))
    places.sort(key=lambda place: place[0])
    for (_, end, name), (start, _, other) in pairwise(places):
        if start < end:
            raise RuntimeError(
                f"Some tensors share memory: `{name}` and `{other}`. The file would hold it twice, and they would share it no "
                "more when loaded. Save one of them, or a .clone()"
            )
