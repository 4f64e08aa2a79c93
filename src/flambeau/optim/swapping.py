"""Let an optimizer act on other parameters and state for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..tensor import Tensor
from .optimizer import Optimizer


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Tensor], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """Give ``optimizer`` other parameters and state inside the context, and its own back afterwards.

    In-place changes reach the tensors passed in; whatever else changes is forgotten on exit.

    Args:
        optimizer: has to have its state already.
        swapin_parameters: as many tensors as the optimizer has parameters, in the same order.
        swapin_optim_state: laid out like ``optimizer.state_dict()``.

    Raises:
        RuntimeError: the optimizer has no state, or what is passed in does not fit it.
    """
    name = "swap_in_optimizer_params_and_state"
    if not optimizer.state:
        raise RuntimeError(f"{name} requires initialized optimizer state.")
    own_groups, own_state = optimizer.param_groups, optimizer.state
    parameters = list(swapin_parameters.values())
    if len(parameters) != sum(len(group["params"]) for group in own_groups):
        raise RuntimeError(
            f"{name} requires the explicit parameter state to match optimizer.param_groups ordering."
        )
    entries = swapin_optim_state.get("state")
    if not isinstance(entries, dict):
        raise RuntimeError(
            f"{name} requires swapin_optim_state['state'] to be a dict mapping packed parameter ids to per-param "
            f"state dicts, got {type(entries).__name__}."
        )
    packed_groups = swapin_optim_state.get("param_groups", [])
    if len(packed_groups) != len(own_groups):
        raise RuntimeError("swapin_optim_state has a different number of parameter groups than the live optimizer.")
    for index, (own, packed) in enumerate(zip(own_groups, packed_groups, strict=True)):
        if len(own["params"]) != len(packed["params"]):
            raise RuntimeError(
                f"swapin_optim_state param group {index} has a different number of params than the live optimizer "
                "param group."
            )
    remaining = iter(parameters)
    by_position: dict[Any, Tensor] = {}
    groups = []
    for packed in packed_groups:
        for position in packed["params"]:
            by_position[position] = next(remaining)
        groups.append({**packed, "params": [by_position[position] for position in packed["params"]]})
    state: defaultdict[Any, Any] = defaultdict(dict)
    for key, entry in entries.items():
        state[by_position.get(key, key)] = dict(entry) if isinstance(entry, dict) else entry
    optimizer.param_groups, optimizer.state = groups, state
    try:
        yield
    finally:
        optimizer.param_groups, optimizer.state = own_groups, own_state
