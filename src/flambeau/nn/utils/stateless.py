"""Calling a module with other tensors in the place of its parameters and buffers."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from ...tensor import Tensor

__all__ = ["call_with", "functional_call"]


def functional_call(
    module: Any,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Deprecated: use ``flambeau.func.functional_call``."""
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
        "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
        stacklevel=2,
    )
    return call_with(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def call_with(
    module: Any,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call ``module`` as if its parameters and buffers were those given, by path; gradients flow to those.

    ``tie_weights``: what is given for one name of a shared tensor is used under its other names too. ``strict``: every
    parameter and buffer must be given, and nothing else.

    Raises:
        ValueError: several dictionaries are given and a name is in more than one of them.
    """
    parameters_and_buffers = _joined(parameter_and_buffer_dicts)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with replaced_tensors(module, parameters_and_buffers, tie_weights=tie_weights, strict=strict):
        return module(*args, **({} if kwargs is None else kwargs))


def _joined(dictionaries: Any) -> dict[str, Any]:
    if isinstance(dictionaries, dict):
        return dictionaries
    if not isinstance(dictionaries, Sequence):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dictionaries)}"
        )
    if not all(isinstance(each, dict) for each in dictionaries):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for each in dictionaries for name in each]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: value for each in dictionaries for name, value in each.items()}


def _other_names(module: Any, given: dict[str, Any]) -> dict[str, Any]:
    """``given``, with the other names of every shared tensor in it."""
    names: dict[int, list[str]] = {}
    for members in (module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False)):
        for name, value in members:
            names.setdefault(id(value), []).append(name)
    completed = dict(given)
    for shared in names.values():
        present = [name for name in shared if name in given]
        if not present:
            continue
        if any(given[name] is not given[present[0]] for name in present):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(shared)}, which are tied. Consider using "
                "tie_weights=False"
            )
        completed.update((name, given[present[0]]) for name in shared)
    return completed


def _check_names(module: Any, given: dict[str, Any]) -> None:
    known = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    known |= {name for name, _ in module.named_buffers(remove_duplicate=False)}
    complaints = [
        f"{kind} key(s): {', '.join(repr(name) for name in sorted(names))}."
        for kind, names in (("Unexpected", set(given) - known), ("Missing", known - set(given)))
        if names
    ]
    if complaints:
        listed = "\n\t".join(complaints)
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:\n\t{listed}")


@contextlib.contextmanager
def replaced_tensors(
    module: Any, given: dict[str, Any], *, tie_weights: bool = True, strict: bool = False
) -> Iterator[None]:
    """Within this context ``module`` has the tensors of ``given`` for its own."""
    for value in given.values():
        if not isinstance(value, Tensor):
            raise TypeError(f"{value} is not an instance of torch.Tensor")
    completed = _other_names(module, given) if tie_weights else dict(given)
    if strict:
        _check_names(module, completed)
    swapped: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, value in completed.items():
            parent_path, _, name = path.rpartition(".")
            try:
                parent = module.get_submodule(parent_path)
            except AttributeError:
                continue
            for table in (parent._parameters, parent._buffers, parent.__dict__):
                if name in table:
                    swapped.append((table, name, table[name]))
                    table[name] = value
                    break
        yield
    finally:
        for table, name, value in reversed(swapped):
            table[name] = value
