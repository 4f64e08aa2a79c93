"""Collation: from a list of samples to one batch of tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateFunction = Callable[..., Any]
CollateTable = dict[type | tuple[type, ...], CollateFunction]

# NumPy kinds without a tensor counterpart: bytes, objects and text.
_KINDS_WITHOUT_DTYPE = frozenset("SOU")


def _unsupported(found: object) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}"
    )


def collate_tensor_fn(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """The tensors, stacked."""
    import flambeau

    return flambeau.stack(batch, 0)


def collate_numpy_array_fn(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """The arrays as tensors, stacked."""
    import flambeau

    dtype = batch[0].dtype
    if dtype.kind in _KINDS_WITHOUT_DTYPE:
        raise _unsupported(dtype)
    return collate([flambeau.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """The NumPy scalars as one tensor."""
    import flambeau

    return flambeau.as_tensor(batch)


def collate_float_fn(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """The floats as a float64 tensor."""
    import flambeau

    return flambeau.as_tensor(batch, dtype=flambeau.float64)


def collate_int_fn(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """The ints as a tensor."""
    import flambeau

    return flambeau.as_tensor(batch)


def collate_str_fn(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """The strings as they are."""
    return batch


default_collate_fn_map: CollateTable = {}
"""How `default_collate` collates each element type; add to it to teach it a type of your own."""


def _fill_table() -> None:
    import numpy

    import flambeau

    default_collate_fn_map[flambeau.Tensor] = collate_tensor_fn
    default_collate_fn_map[numpy.ndarray] = collate_numpy_array_fn
    default_collate_fn_map[(numpy.bool_, numpy.number, numpy.object_)] = collate_numpy_scalar_fn
    default_collate_fn_map[float] = collate_float_fn
    default_collate_fn_map[int] = collate_int_fn
    default_collate_fn_map[str] = collate_str_fn
    default_collate_fn_map[bytes] = collate_str_fn


_fill_table()


def _is_namedtuple(value: object) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _rebuilt_mapping(like: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """`items` in a mapping of the type of `like`; in a dict where that type cannot be rebuilt."""
    try:
        if isinstance(like, MutableMapping):
            # A copy keeps what else the mapping holds: the order of an OrderedDict, a default factory.
            result = copy.copy(like)
            result.update(items)
            return result
        return type(like)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def _rebuilt_sequence(like: Sequence[Any], elements: list[Any]) -> Any:
    """`elements` in a sequence of the type of `like`; in a list where that type cannot be rebuilt."""
    try:
        if isinstance(like, MutableSequence):
            result = copy.copy(like)
            for position, element in enumerate(elements):
                result[position] = element
            return result
        # range(elements) would fail or, for one element, be no sequence of elements.
        return elements if isinstance(like, range) else type(like)(elements)  # type: ignore[call-arg]
    except TypeError:
        return elements


def collate(batch: Sequence[Any], *, collate_fn_map: CollateTable | None = None) -> Any:
    """Merge `batch`, whose elements have one structure, with the functions of `collate_fn_map` at its leaves.

    Raises TypeError for elements of unknown type, RuntimeError for sequences of unequal length.
    """
    element = batch[0]
    kind = type(element)
    if collate_fn_map is not None:
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for handled, function in collate_fn_map.items():
            if isinstance(element, handled):
                return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(element, Mapping):
        columns = {key: collate([d[key] for d in batch], collate_fn_map=collate_fn_map) for key in element}
        return _rebuilt_mapping(element, columns)
    if _is_namedtuple(element):
        return kind(*(collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)))
    if isinstance(element, Sequence):
        if any(len(other) != len(element) for other in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        collated = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        # A tuple comes back as a list: scripts rely on being able to change a batch.
        return collated if isinstance(element, tuple) else _rebuilt_sequence(element, collated)
    raise _unsupported(kind)


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack tensors and arrays along a new first dimension, make tensors of numbers, recurse into containers.

    >>> import flambeau as torch
    >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
    {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def default_convert(data: Any) -> Any:
    """Arrays in `data` as tensors, at any depth; all else as it is. What a loader without batching applies.

    >>> import numpy
    >>> default_convert((1, numpy.arange(2)))
    [1, tensor([0, 1])]
    """
    import numpy

    import flambeau

    if isinstance(data, flambeau.Tensor):
        return data
    if isinstance(data, (numpy.ndarray, numpy.generic)):
        if data.dtype.kind in _KINDS_WITHOUT_DTYPE:
            return data
        return flambeau.as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuilt_mapping(data, {key: default_convert(value) for key, value in data.items()})
    if _is_namedtuple(data):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuilt_sequence(data, [default_convert(value) for value in data])
    return data
