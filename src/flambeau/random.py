"""The random streams behind the random operators: seeding, saving and restoring, and ``fork_rng``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .operators.generator import Generator, default_generator

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip


def manual_seed(seed: int) -> Generator:
    """Start the default stream at ``seed`` and return its generator.

    Raises:
        ValueError: the seed is outside of [-2**63, 2**64).

    >>> import flambeau as torch
    >>> torch.manual_seed(7).initial_seed()
    7
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default stream at a seed from the operating system; the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed at which the default stream started."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The state of the default stream: a tensor of bytes in PyTorch's own layout.

    >>> import flambeau as torch
    >>> torch.get_rng_state().shape
    torch.Size([5056])
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Continue the default stream from a state that ``get_rng_state`` returned, here or in PyTorch.

    Raises:
        RuntimeError: it is not such a state.
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, _caller: str = "fork_rng", _devices_kw: str = "devices",
    device_type: Any = None,
) -> Iterator[None]:  # fmt: skip
    """Afterwards, be what it may that was drawn within, the default stream goes on where it was before.

    Args:
        devices: other devices whose streams to keep; the CPU's is the only one here.
        enabled: False makes this do nothing.

    >>> import flambeau as torch
    >>> with torch.random.fork_rng(): _ = torch.manual_seed(1)
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
