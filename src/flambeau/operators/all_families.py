"""Imports every family of operators, which declares them."""

from . import (  # noqa: F401
    arithmetic,
    contraction,
    conversion,
    creation,
    reductions,
    views,
)
