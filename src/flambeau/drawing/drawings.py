"""``draw``: the graph behind a tensor as a picture."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .figure import Figure
from .layout import Layout, lay_out
from .rendering import png, svg
from .tape import Names, figure_of


class Drawing:
    """A drawn graph: shows itself in Jupyter, and is saved as SVG or PNG."""

    def __init__(self, figure: Figure, text: list[str], engine: str | None) -> None:
        self.figure, self._text, self._engine = figure, text, engine

    @functools.cached_property
    def layout(self) -> Layout:
        """Where everything is."""
        return lay_out(self.figure, self._engine)

    @property
    def svg(self) -> str:
        """The picture as an SVG document."""
        return svg(self.figure, self.layout)

    @property
    def png(self) -> bytes:
        """The picture as a PNG."""
        return png(self.figure, self.layout)

    def text(self) -> str:
        """The graph as text, a line for each tensor in the order of computation."""
        return "\n".join(self._text)

    def save(self, path: Any) -> None:
        """Write the picture: as SVG or PNG, by the end of the name.

        Raises:
            ValueError: the name ends otherwise.
        """
        kind = os.path.splitext(os.fspath(path))[1].lower()
        if kind not in (".svg", ".png"):
            raise ValueError(f"a drawing is saved as .svg or .png, but the file is {os.fspath(path)!r}")
        content = self.png if kind == ".png" else self.svg.encode("utf-8")
        with open(path, "wb") as file:
            file.write(content)

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        # A large graph keeps its size and is scrolled: scaled to a page, its numbers could not be read.
        return f'<div style="overflow: auto; max-height: 60em">{self.svg[self.svg.index("<svg") :]}</div>'

    def __repr__(self) -> str:
        operators = sum(each.kind == "operator" for each in self.figure.boxes.values())
        return f"<Drawing of {operators} operators; save(path), .svg, .png, .text()>"


def draw(
    what: Any, *args: Any, file: Any = None, names: dict[str, Any] | None = None, numbers: bool | None = None,
    gradient: Any = None, engine: str | None = None,
) -> Drawing:  # fmt: skip
    """The computational graph of a tensor: operators, shapes, values, and gradients.

    Boxes are tensors with their shape, value and the gradient that arrives at them, ovals are operators. A line into an
    operator bears the operator's own (local) derivative, and the gradient that flows back along it: by the chain rule the
    local derivative times what arrives at the operator's result. Tensors are called as the variables they are in.

    A graph keeps what its derivatives need, no more: a constant that is only subtracted is not in it. To see everything, draw
    a function, or compute within ``drawing.remember()``.

    Args:
        what: a tensor with a history; or a function or module, which is called with ``args`` and must return one.
        file: write the picture there, as SVG or PNG by the name.
        names: names for tensors, besides those of variables.
        numbers: show values and gradients; by default up to 60 operators.
        gradient: the gradient of the tensor, where it is not a single number.
        engine: "dot" or "grandalf"; by default Graphviz's dot where it is installed.

    Raises:
        TypeError: there is no tensor to draw.
        ValueError: the tensor has no history.
        ImportError: neither Graphviz nor grandalf is installed.

    >>> import flambeau as torch
    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> print(torch.draw(lambda: w * w + 1).text())
    w = 3   ∂result/∂w = 6
    mul(w, w) = 9   ∂result/∂mul = 1
    result = add(mul, 1) = 10   ∂result/∂result = 1
    """
    return drawn(what, args, file, Names(names or {}, 1), numbers, gradient, engine)


def drawn(
    what: Any, args: tuple[Any, ...], file: Any, names: Names, numbers: bool | None, gradient: Any, engine: str | None
) -> Drawing:
    """:func:`draw` with names found already."""
    root = what if isinstance(what, Tensor) else _result_of(what, args)
    if root.grad_fn is None:
        raise ValueError(
            "draw: this tensor has no history: nothing it was computed from requires grad (or it was computed under no_grad). "
            "Set requires_grad=True on what you differentiate by."
        )
    figure, text = figure_of(root, names, numbers, gradient)
    made = Drawing(figure, text, engine)
    if file is not None:
        made.save(file)
    return made


def _result_of(what: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    if not callable(what):
        raise TypeError(f"draw: a tensor, or a function that returns one, is drawn, but got {type(what).__name__}")
    from .remembering import remember

    with remember():
        result = what(*args)
    if isinstance(result, (tuple, list)) and result and isinstance(result[0], Tensor):
        result = result[0]
    if not isinstance(result, Tensor):
        raise TypeError(f"draw: the function must return a tensor, but returned {type(result).__name__}")
    return result
