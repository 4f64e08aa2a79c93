"""Checking arguments that are one of several words."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["iterable_to_str", "verify_str_arg"]


def iterable_to_str(iterable: Iterable[object]) -> str:
    """The items in quotes, with commas between.

    >>> iterable_to_str(["a", "b"])
    "'a', 'b'"
    """
    return "'" + "', '".join(map(str, iterable)) + "'"


def verify_str_arg(
    value: str, arg: str | None = None, valid_values: Iterable[str] | None = None, custom_msg: str | None = None
) -> str:
    """``value``, if it is one of ``valid_values``.

    Raises:
        ValueError: it is not, or is no string.
    """
    if not isinstance(value, str):
        what = "" if arg is None else f" for argument {arg}"
        raise ValueError(f"Expected type str{what}, but got type {type(value)}.")
    if valid_values is not None:
        valid_values = list(valid_values)
        if value not in valid_values:
            raise ValueError(
                custom_msg
                or f"Unknown value '{value}' for argument {arg}. Valid values are {{{iterable_to_str(valid_values)}}}."
            )
    return value
