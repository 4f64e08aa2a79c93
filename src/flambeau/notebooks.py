"""What Jupyter shows of tensors, nodes of the graph and programs, in place of their text.

The methods are put on the classes here, because what they show is made in layers above them.
"""

from __future__ import annotations

from typing import Any

from .autograd.tape import Node
from .tensor import Tensor
from .tracing.program import Program


def _tensor(self: Any) -> str:
    """The tensor as a small table of coloured cells."""
    from .drawing.html import tensor_html

    return tensor_html(self)


def _node(self: Any) -> str:
    """The graph behind this node, drawn."""
    from .drawing.html import node_html

    return node_html(self)


def _program(self: Any) -> str:
    """The program's lines."""
    from .drawing.html import program_html

    return program_html(self)


def install() -> None:
    """Give the classes their ``_repr_html_``."""
    Tensor._repr_html_ = _tensor  # type: ignore[attr-defined]
    Node._repr_html_ = _node  # type: ignore[attr-defined]
    Program._repr_html_ = _program  # type: ignore[attr-defined]
