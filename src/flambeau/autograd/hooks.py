"""Hooks: ordered dictionaries of callables, and handles that remove them."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class RemovableHandle:
    """Takes a hook out of the dictionary it was registered in.

    The dictionary is only referred to weakly: a handle that is kept does not keep a module or a tensor alive.
    ``extra_dict`` names further dictionaries (options of the hook) that share the hook's key. The handle is also a
    context manager that removes the hook on exit.

    >>> from collections import OrderedDict
    >>> hooks = OrderedDict(); handle = RemovableHandle(hooks); hooks[handle.id] = print
    >>> handle.remove(); len(hooks)
    0
    """

    next_id: int = 0

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        self.hooks_dict_ref: Any = weakref.ref(hooks_dict)
        extras: tuple[Any, ...]
        if extra_dict is None:
            extras = ()
        elif isinstance(extra_dict, dict):
            extras = (extra_dict,)
        else:
            extras = tuple(extra_dict)
        self.extra_dict_ref: tuple[Any, ...] = tuple(weakref.ref(extra) for extra in extras)

    def remove(self) -> None:
        """Remove the hook; removing twice is harmless."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        self.remove()

    # A weak reference cannot be pickled: the dictionaries travel themselves, and the pickle's own sharing makes the
    # restored handle point to the restored module's dictionaries.
    def __getstate__(self) -> tuple[Any, ...]:
        return (self.hooks_dict_ref(), self.id, tuple(reference() for reference in self.extra_dict_ref))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        hooks, self.id = state[0], state[1]
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks is None else hooks)
        extras = state[2] if len(state) > 2 else ()
        self.extra_dict_ref = tuple(weakref.ref(OrderedDict() if extra is None else extra) for extra in extras)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)


def add(hooks: Any, hook: Callable[..., Any]) -> tuple[Any, RemovableHandle]:
    """Put ``hook`` into the ordered dictionary ``hooks`` (made when None); returns it and a handle."""
    if hooks is None:
        hooks = OrderedDict()
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return hooks, handle
