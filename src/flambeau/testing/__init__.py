"""Helpers for tests: comparing numbers within tolerances, making tensors of random numbers, matching text."""

from __future__ import annotations

from .closeness import assert_allclose as assert_allclose, assert_close as assert_close
from .making import make_tensor as make_tensor
from .text import FileCheck as FileCheck

__all__ = ["FileCheck", "assert_allclose", "assert_close", "make_tensor"]
