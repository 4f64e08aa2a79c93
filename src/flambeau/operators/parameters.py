"""What the annotations of a meaning say of its parameters, and how arguments become canonical."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import as_dtype, dtype as _dtype
from ..tracing.handles import Handle

#: Stands for an argument that was not given.
MISSING: Any = object()
#: The types of Python numbers.
NUMBERS = (int, float, bool, complex)

#: Other names under which PyTorch accepts a parameter.
ALIASES = {"axis": "dim", "keepdims": "keepdim", "self": "input", "x": "input", "x1": "input", "x2": "other", "a": "input"}


class Kind:
    """What an annotation says of a parameter."""

    def __init__(self, annotation: str) -> None:
        words = annotation.replace(" ", "").split("|")
        self.tensor = "Tensor" in words
        self.number = "Number" in words
        self.tensors = "Tensors" in words
        self.words = words
        self.operand = (self.tensor or self.number) and set(words) <= {"Tensor", "Number", "None"}
        #: PyTorch takes None for a structural parameter wherever it means "as usual".
        self.optional = "None" in words or not (self.tensor or self.number)

    def canonical(self, value: Any, operator: str, parameter: str, place: int) -> Any:
        """A structural argument in hashable, canonical form; TypeError when it is of the wrong type."""
        words = self.words
        if "Ints" in words and isinstance(value, (list, tuple)):
            return tuple(as_int(each, operator, parameter) for each in value)
        if "int" in words or "Ints" in words:
            if isinstance(value, bool) and "bool" not in words and "Ints" not in words:
                return int(value)
            if "float" in words and isinstance(value, float):
                return value
            if "str" in words and isinstance(value, str):
                return value
            return as_int(value, operator, parameter)
        if "float" in words:
            if isinstance(value, (int, float)):
                return float(value)
            raise wrong_type(operator, parameter, "float", value, place)
        if words == ["bool"] and not isinstance(value, bool):
            if isinstance(value, int):
                return bool(value)
            raise wrong_type(operator, parameter, "bool", value, place)
        if "dtype" in words and not isinstance(value, _dtype):
            return as_dtype(value, operator)
        if isinstance(value, list):
            return tuple(tuple(each) if isinstance(each, list) else each for each in value)
        return value


def wrong_type(operator: str, parameter: str, wanted: str, value: Any, place: int) -> TypeError:
    """PyTorch's error for an argument of the wrong type."""
    return TypeError(
        f"{operator}(): argument '{parameter}' (position {place + 1}) must be {wanted}, not {type(value).__name__}"
    )


_kinds: dict[str, Kind] = {}


def kind_of(annotation: str) -> Kind:
    """The kind that an annotation stands for; one object for each annotation."""
    found = _kinds.get(annotation)
    if found is None:
        found = _kinds[annotation] = Kind(annotation)
    return found


def as_int(value: Any, operator: str, parameter: str) -> int:
    """``value`` as an int; TypeError when it is not one."""
    if type(value) is int:
        return value
    if not isinstance(value, float):
        try:
            return value.__index__()
        except (AttributeError, TypeError):
            if isinstance(value, Handle):
                return int(value.item())
    raise TypeError(f"{operator}(): argument '{parameter}' must be tuple of ints, not {type(value).__name__}")


def as_number(value: Any) -> Any:
    """``value`` as a Python number, or None when it is not one."""
    if type(value) in NUMBERS:
        return value
    if isinstance(value, NUMBERS):
        kinds: tuple[Any, ...] = (bool, int, float, complex)
        for kind in kinds:
            if isinstance(value, kind):
                return kind(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0 and not isinstance(value, Handle):
        return value.item()
    return None
