"""Where declared operators are entered: by name, for the ``flambeau`` namespace and for ``Tensor``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

#: Every public operator by name: the functions of the ``flambeau`` namespace.
functions: dict[str, Callable[..., Any]] = {}
#: What becomes a method of ``Tensor`` (or, of the old spellings, a property).
methods: dict[str, Any] = {}


def publish(call: Callable[..., Any], name: str, aliases: Sequence[str], function: bool, method: bool) -> None:
    """Enter a callable into the namespace and the methods under its names."""
    for each in (name, *aliases):
        if function:
            functions[each] = call
        if method:
            methods[each] = call


def describe(function: Any, name: str, text: str | None, operator: Any) -> None:
    """Give the function that callers see the name, the text and the operator (or plain function) it stands for."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    function.__module__ = "flambeau"
    function.operator = operator
    function.__wrapped__ = getattr(operator, "meaning", operator)
