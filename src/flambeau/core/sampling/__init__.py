"""Random numbers as NumPy arrays: for a generator in a given state, exactly those of PyTorch's CPU build.

Every function takes the generator, then a shape (or count) and a NumPy dtype, and returns a fresh array. How many
words a call takes from the generator, and in which order, is part of what it means: the stream goes on exactly where
PyTorch's would. Where PyTorch's compiled code fuses a multiplication with an addition, so do these.

A family is imported when one of its samplers is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .box_muller import log_normal, normal
    from .categories import bernoulli, bernoulli_like, dropout_mask, geometric, multinomial
    from .continuous import cauchy, exponential, uniform
    from .numbers import in_memory_order
    from .rejection import binomial, dirichlet, poisson, standard_gamma
    from .shuffling import any_integers, integers, permutation

__all__ = [
    "any_integers", "bernoulli", "bernoulli_like", "binomial", "cauchy", "dirichlet", "dropout_mask", "exponential",
    "geometric", "in_memory_order", "integers", "log_normal", "multinomial", "normal", "permutation", "poisson",
    "standard_gamma", "uniform",
]  # fmt: skip

_HOMES = {
    "box_muller": ("log_normal", "normal"),
    "categories": ("bernoulli", "bernoulli_like", "dropout_mask", "geometric", "multinomial"),
    "continuous": ("cauchy", "exponential", "uniform"),
    "numbers": ("in_memory_order",),
    "shuffling": ("any_integers", "integers", "permutation"),
    "rejection": ("binomial", "dirichlet", "poisson", "standard_gamma"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
            return found
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
