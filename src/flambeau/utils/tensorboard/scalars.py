"""Summaries of numbers, text and whole tensors, and how numbers are laid out in charts of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.util import tensor_util

from .arrays import as_array


def plugin(name: str, content: bytes = b"") -> Any:
    """The metadata that says which part of TensorBoard shows a value."""
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name, content=content))


def shape_of(sizes: Sequence[int]) -> Any:
    """A shape as TensorBoard's protocol has it."""
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=int(size)) for size in sizes])


def scalar(
    name: str, tensor: Any, collections: Any = None, new_style: bool = False, double_precision: bool = False
) -> Any:
    """One number: as a value of its own, or, in the ``new_style``, as a tensor (of doubles where asked)."""
    array = as_array(tensor).squeeze()
    if array.ndim != 0:
        raise AssertionError(f"add_scalar: {name} should be one number, but has shape {list(array.shape)}")
    number = float(array)
    if not new_style:
        return Summary(value=[Summary.Value(tag=name, simple_value=number)])
    made = TensorProto(double_val=[number], dtype="DT_DOUBLE") if double_precision else TensorProto(
        float_val=[number], dtype="DT_FLOAT"
    )
    return Summary(value=[Summary.Value(tag=name, tensor=made, metadata=plugin("scalars"))])


def text(tag: str, text: str) -> Any:
    """A text, shown as Markdown."""
    made = TensorProto(dtype="DT_STRING", string_val=[text.encode("utf-8")], tensor_shape=shape_of((1,)))
    return Summary(value=[Summary.Value(tag=tag + "/text_summary", tensor=made, metadata=plugin("text"))])


def tensor_proto(tag: str, tensor: Any) -> Any:
    """A whole tensor, as numbers.

    Raises:
        ValueError: the tensor has 2 GiB or more, which no event can hold.
    """
    array = as_array(tensor)
    if array.nbytes >= 1 << 31:
        raise ValueError(f"tensor '{tag}' of {array.nbytes} bytes is larger than the 2 GiB an event can hold")
    shape = tensor.shape if hasattr(tensor, "shape") else array.shape
    made = tensor_util.make_tensor_proto(array.reshape(shape))
    if made.tensor_content:  # numbers, as PyTorch writes them, rather than bytes
        numbers = {"f": ("float_val" if array.dtype.itemsize == 4 else "double_val"), "c": "scomplex_val"}
        field = numbers.get(array.dtype.kind)
        if array.dtype == np.float16:
            field, array = "half_val", array.view(np.uint16)
        elif array.dtype.kind == "c":
            field = "scomplex_val" if array.dtype.itemsize == 8 else "dcomplex_val"
            array = array.view(array.real.dtype)
        elif array.dtype.kind in "iu":
            field = "int64_val" if array.dtype == np.int64 else "int_val"
        elif array.dtype.kind == "b":
            field = "bool_val"
        made.tensor_content = b""
        made.ClearField("tensor_content")
        getattr(made, field or "float_val").extend(array.reshape(-1).tolist())
    return Summary(value=[Summary.Value(tag=tag, tensor=made, metadata=plugin("tensor"))])


def custom_scalars(layout: dict[str, dict[str, Sequence[Any]]]) -> Any:
    """Charts of several tags: ``{category: {title: ["Multiline", [tags]] or ["Margin", [value, lower, upper]]}}``.

    Raises:
        AssertionError: a margin chart without exactly three tags.
    """
    categories = []
    for title, charts in layout.items():
        made = []
        for name, (kind, tags) in charts.items():
            if kind == "Margin":
                if len(tags) != 3:
                    raise AssertionError(f"a margin chart takes three tags (value, lower, upper), but got {len(tags)}")
                series = layout_pb2.MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
                made.append(layout_pb2.Chart(title=name, margin=layout_pb2.MarginChartContent(series=[series])))
            else:
                made.append(layout_pb2.Chart(title=name, multiline=layout_pb2.MultilineChartContent(tag=list(tags))))
        categories.append(layout_pb2.Category(title=title, chart=made))
    content = layout_pb2.Layout(category=categories).SerializeToString()
    value = TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=TensorShapeProto())
    return Summary(
        value=[Summary.Value(tag="custom_scalars__config__", tensor=value, metadata=plugin("custom_scalars"))]
    )
