"""Random numbers as NumPy arrays: for a generator in a given state, exactly those of PyTorch's CPU build.

Every function takes the generator, then a shape (or count) and a NumPy dtype, and returns a fresh array. How many
words a call takes from the generator, and in which order, is part of what it means: the stream goes on exactly where
PyTorch's would. Where PyTorch's compiled code fuses a multiplication with an addition, so do these.
"""

from .categories import bernoulli, bernoulli_like, dropout_mask, geometric, multinomial
from .continuous import cauchy, exponential, uniform
from .integers import any_integers, integers, permutation
from .normal import log_normal, normal
from .rejection import binomial, dirichlet, poisson, standard_gamma

__all__ = [
    "any_integers",
    "bernoulli",
    "bernoulli_like",
    "binomial",
    "cauchy",
    "dirichlet",
    "dropout_mask",
    "exponential",
    "geometric",
    "integers",
    "log_normal",
    "multinomial",
    "normal",
    "permutation",
    "poisson",
    "standard_gamma",
    "uniform",
]
