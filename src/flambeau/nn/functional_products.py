"""Products of inputs with weights beyond the linear map."""

from __future__ import annotations

from ..operators.bilinear import bilinear as bilinear
