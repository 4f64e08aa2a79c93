"""Names for the types of arguments, as PyTorch's own annotations and those of programs for it have them."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, TypeAlias

from .core.devices import device as _device
from .core.dtypes import dtype as _dtype  # noqa: F401
from .core.memory_formats import layout as _layout  # noqa: F401
from .core.sizes import Size
from .storage import TypedStorage, UntypedStorage
from .tensor import Tensor

__all__ = ["Device", "FileLike", "Number", "Storage"]

_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_size: TypeAlias = Size | list[int] | tuple[int, ...]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_symsize: TypeAlias = Size | Sequence[int]

#: What a scalar argument may be.
Number: TypeAlias = int | float | bool
#: What ``device=`` takes.
Device: TypeAlias = _device | str | int | None
#: What ``save`` and ``load`` take.
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
#: A tensor's memory.
Storage: TypeAlias = TypedStorage | UntypedStorage
