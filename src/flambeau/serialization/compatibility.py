"""Small public names of ``torch.serialization`` that have little to do with files of tensors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class SourceChangeWarning(Warning):
    """A class's source differs from the one with which an object was saved."""


@contextmanager
def mkdtemp() -> Iterator[str]:
    """A temporary folder that is removed at the end of the ``with`` block."""
    import shutil
    import tempfile

    path = tempfile.mkdtemp()
    try:
        yield path
    finally:
        shutil.rmtree(path)


def check_module_version_greater_or_equal(
    module: Any, req_version_tuple: tuple[int, ...], error_if_malformed: bool = True
) -> bool:
    """Whether a module's ``__version__`` is at least the given one.

    Raises:
        RuntimeError: the version is not made of numbers, and ``error_if_malformed``.
    """
    try:
        parts = module.__version__.split(".")[: len(req_version_tuple)]
        version = tuple(type(required)(part) for required, part in zip(req_version_tuple, parts))
    except (ValueError, AttributeError) as error:
        message = (
            f"'{module.__name__}' module version string is malformed '{getattr(module, '__version__', None)}' and "
            f"cannot be compared with tuple {req_version_tuple}"
        )
        if error_if_malformed:
            raise RuntimeError(message) from error
        import warnings

        warnings.warn(message + ", but continuing assuming that requirement is met", stacklevel=2)
        return True
    return version >= tuple(req_version_tuple)
