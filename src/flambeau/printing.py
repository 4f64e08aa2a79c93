"""How tensors are printed: the same characters as PyTorch, from a NumPy array and a few flags.

Text is made in three steps. *Selection* keeps the elements that will be shown (all of them, or the edges of
each dimension when there are more than ``threshold``). A :class:`_Column` *measures* them and settles one
notation for all: integers with a point, fixed point or scientific. *Layout* arranges the strings in nested
brackets, breaks lines at ``linewidth`` and appends what a reader must know besides: device, size, dtype,
gradient. Elements that are not shown are never read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from .core.dtypes import bool_, dtype, get_default_dtype, int64


class PrintOptions(NamedTuple):
    """What :func:`set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}


class _Current:
    """The options in force; a holder, so that every module sees a change."""

    options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed.

    Args:
        precision: digits after the point (4).
        threshold: number of elements above which only the edges are shown (1000).
        edgeitems: elements shown at each edge of a dimension (3).
        linewidth: characters to a line (80).
        profile: ``"default"``, ``"short"`` or ``"full"``, taken before the other arguments.
        sci_mode: scientific notation always (``True``), never (``False``) or as the values need it (``None``);
            unlike the others it is reset by a call that does not name it.

    >>> import flambeau as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([1.12345])
    tensor([1.12])
    >>> torch.set_printoptions(profile="default")
    """
    options = _PROFILES.get(profile, _Current.options) if profile is not None else _Current.options
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen = {name: value for name, value in given.items() if value is not None}
    _Current.options = options._replace(sci_mode=sci_mode, **chosen)  # type: ignore[arg-type]


def get_printoptions() -> dict[str, Any]:
    """The print options in force, as keyword arguments of :func:`set_printoptions`."""
    return _Current.options._asdict()


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Print with other options inside a ``with`` block.

    >>> import numpy as np
    >>> with printoptions(precision=1):
    ...     print(array_text(np.array([0.25])))
    [0.2]
    """
    before = _Current.options
    set_printoptions(**options)
    try:
        yield
    finally:
        _Current.options = before


class _Column:
    """The one notation, and the one width, in which a set of real numbers is written."""

    def __init__(self, values: np.ndarray[Any, Any], options: PrintOptions) -> None:
        self.write: Callable[[Any], str]
        if values.dtype.kind in "biu":
            self.write = str
            if values.dtype.kind == "b":
                self.width = 4 if values.all() else 5
            else:
                self.width = max(len(str(int(values.min()))), len(str(int(values.max()))))
            return
        # Zeros, infinities and nan take part neither in the choice of notation nor in the width.
        telling = values[np.isfinite(values) & (values != 0)]
        if telling.size == 0:
            self.write, self.width = _write_integral, 1
            return
        magnitudes = np.abs(telling)
        smallest, largest = float(magnitudes.min()), float(magnitudes.max())
        integral = bool((np.ceil(telling) == telling).all())
        scientific = options.sci_mode
        if scientific is None:
            wide = largest / smallest > 1000.0 or largest > 1.0e8
            scientific = wide or (not integral and smallest < 1.0e-4)
        if scientific:
            self.write = f"{{:.{options.precision}e}}".format
        elif integral:
            self.write = _write_integral
        else:
            self.write = f"{{:.{options.precision}f}}".format
        self.width = max(map(len, map(self.write, telling.tolist())))

    def __call__(self, value: Any) -> str:
        return self.write(value).rjust(self.width)


def _write_integral(value: float) -> str:
    text = f"{value:.0f}"
    return text + "." if math.isfinite(value) else text


class _ComplexColumn:
    """Real and imaginary parts, each in a notation of its own."""

    def __init__(self, values: np.ndarray[Any, Any], options: PrintOptions) -> None:
        self.real, self.imaginary = _Column(values.real, options), _Column(values.imag, options)
        self.width = self.real.width + self.imaginary.width + 1

    def __call__(self, value: complex) -> str:
        imaginary = self.imaginary(value.imag).lstrip()
        sign = "" if imaginary[0] in "+-" else "+"
        return f"{self.real(value.real)}{sign}{imaginary}j"


def _shown(array: np.ndarray[Any, Any], edge: int) -> np.ndarray[Any, Any]:
    """The elements at the edges of every dimension, gathered in one step without touching the others."""
    if all(length <= 2 * edge for length in array.shape):
        return array
    kept = [np.r_[:edge, length - edge : length] if length > 2 * edge else np.arange(length) for length in array.shape]
    return array[np.ix_(*kept)]


def _nest(
    values: Any, sizes: tuple[int, ...], indent: int, edge: int | None, column: Any, options: PrintOptions
) -> str:
    """Nested brackets around ``values`` (nested lists); ``edge`` is None when nothing was left out."""
    if not sizes:
        return column(values)
    elided = edge is not None and sizes[0] > 2 * edge
    if len(sizes) > 1:
        parts = [_nest(value, sizes[1:], indent + 1, edge, column, options) for value in values]
        if elided:
            parts.insert(edge or 0, "...")
        return "[" + ("," + "\n" * (len(sizes) - 1) + " " * (indent + 1)).join(parts) + "]"
    words = [column(value) for value in values]
    if elided:
        words.insert(edge or 0, " ...")
    room = (options.linewidth - indent) / (column.width + 2)
    per_line = max(1, math.floor(room)) if math.isfinite(room) else max(1, len(words))
    lines = [", ".join(words[start : start + per_line]) for start in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def array_text(array: np.ndarray[Any, Any], indent: int = 0, options: PrintOptions | None = None) -> str:
    """The nested brackets of one array, its first line starting in column ``indent``.

    >>> import numpy as np
    >>> array_text(np.array([0.5, 2.0]))
    '[0.5000, 2.0000]'
    """
    options = options or _Current.options
    sizes, edge = array.shape, None
    if array.size > options.threshold:
        edge = options.edgeitems
        if edge <= 0 and sizes:
            return "[...]"
        array = _shown(array, edge)
    if array.dtype.kind == "c":
        array = array.astype(np.complex128)
    elif array.dtype.kind not in "biu":
        array = array.astype(np.float64)  # ratios are taken in double, and few functions know bfloat16
    column: Any = _ComplexColumn(array, options) if array.dtype.kind == "c" else _Column(array, options)
    return _nest(array.tolist(), sizes, indent, edge, column, options)


def with_suffixes(text: str, suffixes: list[str], indent: int, options: PrintOptions | None = None) -> str:
    """``text`` followed by ``suffixes`` and a closing parenthesis, on new lines where they do not fit.

    >>> with_suffixes("tensor(1", ["dtype=torch.int8"], 7)
    'tensor(1, dtype=torch.int8)'
    """
    linewidth = (options or _Current.options).linewidth
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def tensor_text(
    array: np.ndarray[Any, Any] | None,
    dtype: dtype,
    *,
    shape: tuple[int, ...] | None = None,
    prefix: str = "tensor(",
    device: str | None = None,
    grad_fn: str | None = None,
    requires_grad: bool = False,
    contents: str | None = None,
    options: PrintOptions | None = None,
) -> str:
    """A tensor as it is printed.

    Args:
        array: the values, or None for a tensor without any (``meta``), whose ``shape`` must then be given.
        dtype: the element type, named when it is not the default one.
        prefix: what stands before the values: ``"tensor("``, or the name of a subclass and a parenthesis.
        device: named when given; leave it out for the default device.
        grad_fn: name of the tensor's node in the graph, ``"AddBackward0"``.
        requires_grad: whether the tensor is a leaf that requires grad.
        contents: text to show instead of the values.

    >>> import numpy as np, flambeau as torch
    >>> tensor_text(np.array([1, 2], np.int8), torch.int8)
    'tensor([1, 2], dtype=torch.int8)'
    """
    options = options or _Current.options
    sizes = tuple(array.shape if array is not None else shape or ())
    default = get_default_dtype()
    usual: tuple[Any, ...] = (default,)
    size_text, suffixes = f"size={sizes}", []
    if device is not None:
        suffixes.append(f"device='{device}'")
    if array is None:
        body = "..."
        suffixes.append(size_text)
    elif array.size == 0:
        body = "[]"
        if len(sizes) != 1:
            suffixes.append(size_text)
    else:
        usual = (default, default.to_complex(), int64, bool_)
        if options.edgeitems == 0:  # without edges a summary shows no sizes, so they are named
            suffixes.append(size_text)
        body = array_text(array, len(prefix), options) if contents is None else contents
    if dtype not in usual:
        suffixes.append(f"dtype={dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return with_suffixes(prefix + (contents or body), suffixes, len(prefix), options)
