"""What Jupyter shows of tensors, modules, nodes and programs."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import Any

import pytest

import flambeau as torch
from flambeau import nn


class Checker(HTMLParser):
    """Every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def shown(thing: Any) -> str:
    """The text of what is shown, which must be well formed."""
    checker = Checker()
    checker.feed(thing._repr_html_())
    assert not checker.open
    return " ".join(" ".join(checker.text).split())


def test_tensor() -> None:
    x = torch.tensor([[1.5, -2.0], [0.25, 3.0]], requires_grad=True)
    assert shown(x) == "tensor shape [2, 2] · float32 · requires_grad=True 1.5 -2 0.25 3"
    assert "grad_fn=MulBackward0" in shown(x * 2)
    colours = re.findall(r"rgb\([\d,]+\)", x._repr_html_())
    assert colours[1] == "rgb(170,205,255)" and colours[3] == "rgb(255,180,120)" and len(set(colours)) == 4


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (torch.tensor(7), " 7"),
        (torch.tensor([True, False]), "True False"),
        (torch.tensor([1 + 2j]), "1+2j"),
        (torch.zeros(0, 3), "(no elements)"),
        (torch.arange(40), "0 1 2 3 4 5 … 34 35 36 37 38 39"),
        (torch.tensor([float("nan"), float("inf"), 1.0]), "nan inf 1"),
        (torch.tensor([1.5, 2.0], dtype=torch.bfloat16), "1.5 2"),
        (torch.arange(8).reshape(2, 2, 2), "[0, :, :] 0 1 2 3 [1, :, :] 4 5 6 7"),
    ],
)
def test_kinds_of_tensors(tensor: Any, text: str) -> None:
    assert shown(tensor).endswith(text)


def test_many_slices_and_rows() -> None:
    text = shown(torch.zeros(2, 4, 30, 2))
    assert "[0, 2, :, :]" in text and "… 5 more" in text and text.count(" 0") < 100
    assert "Parameter" in shown(nn.Parameter(torch.ones(2)))


def test_module() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(10, 4), nn.ReLU())
            self.head = nn.Linear(4, 2, bias=False)
            self.again = self.head
            self.head.weight.requires_grad_(False)

    text = shown(Net())
    assert "Net 52 parameters, 8 frozen" in text
    assert "(in_features=10, out_features=4, bias=True) 44 parameters" in text
    assert "weight: [2, 4] float32, frozen" in text and "ReLU 0 parameters" in text
    assert Net()._repr_html_().count("<details") == 5


def test_module_with_awkward_text_and_lazy_parameters() -> None:
    class Odd(nn.Module):
        def extra_repr(self) -> str:
            return "<script>&"

    html = nn.Sequential(Odd(), nn.LazyLinear(2))._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;&amp;" in html and "some not made yet" in html


@pytest.mark.skipif(not shutil.which("dot") and find_spec("grandalf") is None, reason="nothing to lay out with")
def test_node_is_drawn_as_its_graph() -> None:
    w = torch.ones(2, requires_grad=True)
    html = (w * 2).sum().grad_fn._repr_html_()
    assert html.startswith("<svg") and ">sum<" in html and ">mul" in html
    leaf = (w * 2).grad_fn.next_functions[0][0]
    assert "[2] float32" in leaf._repr_html_()


def test_program() -> None:
    from flambeau.tracing.cache import cache

    (torch.ones(3) + 4).sum().item()
    assert "def program(inputs):" in shown(cache.programs[-1])
