"""The words that annotations of meanings use to say what a parameter is; see ``declaration``.

A meaning is run on Values, but the operator made of it is called with tensors and numbers. To a type checker, which
cannot know both, they are anything.
"""

from __future__ import annotations

from typing import Any

Tensor = Any
Number = Any
Tensors = Any
