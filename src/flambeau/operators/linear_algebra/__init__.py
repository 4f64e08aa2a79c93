"""Linear algebra, one file a family: solving, factorizations, spectra, determinants, products, tensors as matrices."""

from . import (  # noqa: F401
    cholesky,
    covariance,
    determinants,
    indefinite,
    least_squares,
    low_rank,
    lu,
    orthogonal,
    powers,
    singular,
    solving,
    spectra,
    tensors,
    triangular,
    vectors,
)
