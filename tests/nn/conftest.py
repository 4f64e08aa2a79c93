"""Doing the same with flambeau and with PyTorch, and comparing what comes of it: result, error and warnings."""

import re
import warnings

import pytest

import flambeau


def outcome(library, scenario):
    """What ``scenario(library)`` returns or raises, as text, and the categories of its warnings."""
    library.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            text = repr(scenario(library))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
    text = re.sub(r"0x[0-9a-f]+", "0x", text.replace("flambeau", "torch"))
    # Where a class lies inside the package is our own affair; its name is not.
    text = re.sub(r"torch\.nn\.[\w.]+\.(?=[A-Z_])", "torch.nn.", text)
    return text, sorted({each.category.__name__ for each in caught})


@pytest.fixture
def agree():
    """``agree(scenario)`` runs it with both libraries and compares."""
    torch = pytest.importorskip("torch")

    def check(scenario):
        expected, got = outcome(torch, scenario), outcome(flambeau, scenario)
        assert got == expected

    return check
