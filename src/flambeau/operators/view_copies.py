"""``view_copy``, ``permute_copy`` …: what a view would show, as a tensor of its own."""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import mode
from ..core.memory_formats import contiguous_format
from ..core.specs import Spec, spec
from ..primitives import memory
from ..primitives.values import Value
from . import splitting, views
from .conversion import clone
from .declaration import functions, methods, operator
from .indexing import as_strided_gradient
from .kinds import Tensor
from .writing import write_out

Ints = tuple[int, ...]


def _shown_back(grad: Any, input_spec: Spec, shape: Ints, strides: Ints, offset: int) -> Any:
    return as_strided_gradient(grad, input_spec, 0, shape, strides, offset)


@operator(
    {"input": _shown_back}, method=False, function=False, name="view_copy",
    node=lambda input, shape, strides, offset, node: node,
)  # fmt: skip
def _shown(input: Tensor, shape: Ints, strides: Ints, offset: int, node: str) -> Value:
    here = spec(input.shape, input.dtype)
    return memory.strided_window(input, layout=here, of=spec(shape, input.dtype, strides), offset=offset)


def _node(name: str, args: Any, kwargs: Any) -> str:
    if name == "narrow":
        return "NarrowCopyBackward0"
    dim = kwargs.get("dim", [*args, None][0])
    overload = 0 if name != "squeeze" or dim is None else 2 if isinstance(dim, (tuple, list)) else 1
    return "".join(map(str.capitalize, name.split("_"))) + f"Backward{overload}_copy"


def _copy_of(name: str, shown: Any) -> Any:
    """The function that copies what the view function ``shown`` gives."""

    def one(input: Any, view: Any, node: str) -> Any:
        here = view._spec
        return _shown(input, tuple(here.shape), here.strides, view.storage_offset() - input.storage_offset(), node)

    def function(input: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        outs = () if out is None or name.startswith("split") else out if isinstance(out, (tuple, list)) else (out,)
        if mode.enabled and any(each._tracked for each in outs):
            raise RuntimeError(
                f"{name}_copy(): functions with out=... arguments don't support automatic differentiation, but one of the "
                "arguments requires grad."
            )
        other_elements = name.startswith("view") and (name != "view" or hasattr([*args, None][0], "itemsize"))
        if other_elements or name == "as_strided":  # not a window onto the elements alone: the view's own derivative
            found = clone(shown(input, *args, **kwargs), memory_format=contiguous_format)
        else:
            x = input if input._spec.is_contiguous else input.contiguous()
            view = shown(x.detach(), *args, **kwargs)
            node = _node(name, args, kwargs)
            found = tuple(one(x, each, node) for each in view) if isinstance(view, tuple) else one(x, view, node)
        if out is None:
            return found
        write_out(name + "_copy", out, found)
        return None if isinstance(found, tuple) else out

    function.__name__ = function.__qualname__ = name + "_copy"
    function.__doc__ = f"What :func:`{name}` would show, as a tensor of its own."
    return function


for _name, _view in {
    "alias": views.alias_of, "as_strided": views.as_strided, "detach": views.detach, "diagonal": views.diagonal,
    "expand": views.expand, "narrow": views.narrow, "permute": views.permute, "select": views.select,
    "split": splitting.split, "split_with_sizes": splitting.split_with_sizes, "squeeze": views.squeeze, "t": views.t,
    "transpose": views.transpose, "unbind": splitting.unbind, "unfold": views.unfold, "unsqueeze": views.unsqueeze,
    "view": views.view, "view_as_real": views.view_as_real, "view_as_complex": views.view_as_complex,
}.items():  # fmt: skip
    functions[_name + "_copy"] = _copy_of(_name, _view)


def _slice_copy(
    input: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1, *, out: Any = None
) -> Any:
    """A slice of one dimension, as a tensor of its own."""

    def shown(x: Any) -> Any:
        return views.slice_dimension(x, dim % max(x._spec.ndim, 1), start, end, step)

    return _copy_of("slice", shown)(input, out=out)


functions["slice_copy"] = _slice_copy
methods["narrow_copy"] = functions["narrow_copy"]
