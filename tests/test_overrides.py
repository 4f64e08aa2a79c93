"""Handing calls to types that answer for themselves."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau as torch
from flambeau import overrides


class Answering:
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return cls.__name__, func.__name__, args


class Derived(Answering):
    pass


class Silent:
    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return NotImplemented


@overrides.wrap_torch_function(lambda x, y: (x, y))
def combine(x: Any, y: Any) -> Any:
    return "plain"


def test_subclasses_answer_first() -> None:
    assert combine(1, 2) == "plain"
    assert combine(Answering(), Derived())[:2] == ("Derived", "combine")
    assert combine(Silent(), Answering())[0] == "Answering"
    with pytest.raises(TypeError, match="no implementation found"):
        combine(Silent(), 1)


def test_names() -> None:
    assert overrides.resolve_name(torch.add) == "torch.add"
    assert overrides.is_tensor_like(torch.ones(1)) and overrides.is_tensor_like(Answering())
    assert not overrides.is_tensor_like([1.0])
    assert torch.zeros in overrides.get_ignored_functions()
    assert torch.add in overrides.get_overridable_functions()[torch]
