"""The tuples with named fields that operators of several results return, one class an operator."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

#: The fields of each operator's result.
FIELDS = {
    "aminmax": "min max",
    "cummax": "values indices",
    "cummin": "values indices",
    "frexp": "mantissa exponent",
    "geqrf": "a tau",
    "histogram": "hist bin_edges",
    "histogramdd": "hist bin_edges",
    "kthvalue": "values indices",
    "linalg_cholesky_ex": "L info",
    "linalg_eig": "eigenvalues eigenvectors",
    "linalg_eigh": "eigenvalues eigenvectors",
    "linalg_inv_ex": "inverse info",
    "linalg_ldl_factor": "LD pivots",
    "linalg_ldl_factor_ex": "LD pivots info",
    "linalg_lstsq": "solution residuals rank singular_values",
    "linalg_lu": "P L U",
    "linalg_lu_factor": "LU pivots",
    "linalg_lu_factor_ex": "LU pivots info",
    "linalg_qr": "Q R",
    "linalg_slogdet": "sign logabsdet",
    "linalg_solve_ex": "result info",
    "linalg_svd": "U S Vh",
    "lu_unpack": "P L U",
    "max": "values indices",
    "median": "values indices",
    "min": "values indices",
    "mode": "values indices",
    "nanmedian": "values indices",
    "qr": "Q R",
    "slogdet": "sign logabsdet",
    "sort": "values indices",
    "svd": "U S V",
    "topk": "values indices",
    "triangular_solve": "solution cloned_coefficient",
}


class NamedResults(tuple):
    """A tuple whose items also go by name.

    >>> import flambeau as torch
    >>> torch.sort(torch.tensor([2, 1])).indices
    tensor([1, 0])
    """

    __slots__ = ()
    _fields: tuple[str, ...] = ()
    n_fields = n_sequence_fields = n_unnamed_fields = 0

    def __new__(cls, items: Iterable[Any]) -> NamedResults:
        made = super().__new__(cls, items)
        if len(made) != len(cls._fields):
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {len(cls._fields)}-sequence ({len(made)}-sequence given)"
            )
        return made

    def __repr__(self) -> str:
        items = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self))
        return f"torch.return_types.{type(self).__name__}(\n{items})"

    def __reduce__(self) -> Any:
        return type(self), (tuple(self),)


def _declare(name: str, fields: tuple[str, ...]) -> type:
    members = {field: property(itemgetter(place), doc=f"Item {place}.") for place, field in enumerate(fields)}
    return type(
        name,
        (NamedResults,),
        {
            "__slots__": (), "__module__": __name__, "_fields": fields, "__match_args__": fields,
            "n_fields": len(fields), "n_sequence_fields": len(fields), **members,
        },
    )


def __getattr__(name: str) -> Any:
    public = name.removesuffix("_out")
    if public not in FIELDS:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    made = globals()[name] = _declare(name, tuple(FIELDS[public].split()))
    return made


def __dir__() -> list[str]:
    return sorted(FIELDS)


all_return_types: list[str] = sorted(FIELDS)
