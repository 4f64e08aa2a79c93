"""Exchanging memory with other array libraries by DLPack."""

from __future__ import annotations

from ..operators.declaration import functions

from_dlpack = functions["from_dlpack"]
to_dlpack = functions["to_dlpack"]

__all__ = ["from_dlpack", "to_dlpack"]
