"""What a tensor, a module, a graph and a program look like in a notebook. Everything that comes from the user is escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from ..tracing.recorder import array_of
from .amounts import number

#: Rows and columns of a table; of longer dimensions the ends are shown.
ROWS, COLUMNS = 10, 12
#: Slices of a tensor of three and more dimensions.
SLICES = 3
_CELL = "padding:1px 6px;text-align:right;border:1px solid #ddd;font-size:11px"


def tensor_html(tensor: Any) -> str:
    """A heading (shape, dtype, device, gradient) and the numbers, coloured from the least (blue) to the largest (orange)."""
    spec = tensor._spec
    facts = [f"shape {list(spec.shape)}", spec.dtype.name]
    if spec.device.type != "cpu":
        facts.append(str(spec.device))
    node = tensor.grad_fn
    if node is not None:
        facts.append(f"grad_fn={node.name()}")
    elif tensor._tracked:
        facts.append("requires_grad=True")
    kind = type(tensor).__name__
    heading = f"<b>{escape('tensor' if kind == 'Tensor' else kind)}</b> " + escape(" · ".join(facts))
    if spec.device.type == "meta":
        return f"<div>{heading}</div>"
    array = np.asarray(array_of(tensor._cell))
    if array.dtype.isbuiltin != 1:
        array = array.astype(np.float32)
    return f'<div style="font-family:monospace"><div>{heading}</div>{"".join(_tables(array))}</div>'


def _tables(array: Any) -> Iterator[str]:
    if array.size == 0:
        yield "<div>(no elements)</div>"
        return
    if array.ndim <= 2:
        yield _table(array.reshape(1, -1) if array.ndim < 2 else array, *_range(array))
        return
    low, high = _range(array)
    leading = array.shape[:-2]
    count = int(np.prod(leading))
    for place in range(min(count, SLICES)):
        index = tuple(map(int, np.unravel_index(place, leading)))
        yield f"<div>[{', '.join(map(str, index))}, :, :]</div>" + _table(array[index], low, high)
    if count > SLICES:
        yield f"<div>… {count - SLICES} more</div>"


def _range(array: Any) -> tuple[float, float]:
    if array.dtype.kind not in "fiu":
        return 0.0, 0.0
    finite = array[np.isfinite(array)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _table(rows: Any, low: float, high: float) -> str:
    body = []
    for row in _ends(rows.shape[0], ROWS):
        cells = []
        for column in _ends(rows.shape[1], COLUMNS):
            if row is None or column is None:
                cells.append(f'<td style="{_CELL}">…</td>')
                continue
            value = rows[row, column]
            cells.append(f'<td style="{_CELL};{_colour(value, low, high)}">{escape(number(value.item()))}</td>')
        body.append("<tr>" + "".join(cells) + "</tr>")
    return f'<table style="border-collapse:collapse;margin:2px 0">{"".join(body)}</table>'


def _ends(length: int, most: int) -> list[int | None]:
    if length <= most:
        return list(range(length))
    half = most // 2
    return [*range(half), None, *range(length - half, length)]


def _colour(value: Any, low: float, high: float) -> str:
    if value.dtype.kind == "b":
        return "background:#fde0c5" if value else "background:#fff"
    if value.dtype.kind not in "fiu" or not np.isfinite(value):
        return "background:#f6d5d5" if value.dtype.kind == "f" else ""
    share = (float(value) - low) / (high - low) if high > low else 0.5
    if share < 0.5:  # towards blue
        strength = 1 - 2 * share
        red, green, blue = 255 - 85 * strength, 255 - 50 * strength, 255.0
    else:  # towards orange
        strength = 2 * share - 1
        red, green, blue = 255.0, 255 - 75 * strength, 255 - 135 * strength
    return f"background:rgb({red:.0f},{green:.0f},{blue:.0f})"


def module_html(module: Any) -> str:
    """The tree of modules, to fold and unfold, with the number of parameters of each."""
    return f'<div style="font-family:monospace">{_branch(module, "", True)}</div>'


def _branch(module: Any, name: str, is_open: bool) -> str:
    heading = (f"({escape(name)}) " if name else "") + f"<b>{escape(module._get_name())}</b>"
    extra = module.extra_repr()
    if extra:
        heading += f"({escape(extra)})"
    heading += f' <span style="color:#777">{_count(module)}</span>'
    children = [
        _branch(child, below, False) if child is not None else f"<div>({escape(below)}) None</div>"
        for below, child in module._modules.items()
    ]
    own = [
        f"<div>{escape(below)}: {list(each.shape)} {escape(each.dtype.name)}{'' if each.requires_grad else ', frozen'}</div>"
        for below, each in module._parameters.items() if each is not None and not _is_lazy(each)
    ]  # fmt: skip
    inside = "".join(own + children)
    if not inside:
        return f"<div>{heading}</div>"
    return (
        f"<details{' open' if is_open else ''}><summary>{heading}</summary>"
        f'<div style="margin-left:1.5em">{inside}</div></details>'
    )


def _count(module: Any) -> str:
    """How many numbers a module learns, and how many it only keeps; shared ones once."""
    parameters = [each for each in module.parameters() if not _is_lazy(each)]
    total = sum(each.numel() for each in parameters)
    frozen = sum(each.numel() for each in parameters if not each.requires_grad)
    text = f"{total:,} parameter" + ("" if total == 1 else "s")
    if frozen:
        text += f", {frozen:,} frozen"
    if len(parameters) < sum(1 for _ in module.parameters()):
        text += ", some not made yet"
    return text


def _is_lazy(parameter: Any) -> bool:
    from ..nn.parameter import is_lazy

    return is_lazy(parameter)


def node_html(node: Any) -> str:
    """The graph behind a node, drawn; where nothing to draw with is installed, its text."""
    from .drawings import Drawing
    from .tape import figure_of_node

    try:
        return Drawing(*figure_of_node(node), None).svg
    except ImportError:
        return f"<code>{escape(repr(node))}</code>"


def program_html(program: Any) -> str:
    """A recorded program, line by line."""
    return f'<pre style="font-size:11px">{escape(str(program))}</pre>'

