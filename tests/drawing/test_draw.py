"""``flambeau.draw``: what is in the picture, checked against numbers worked out by hand; both ways to lay it out."""

from __future__ import annotations

import io
import shutil
import sys
from importlib.util import find_spec
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import flambeau as torch
from flambeau import nn
from flambeau.drawing.figure import Box, Figure, Line
from flambeau.drawing.flows import flows_from
from flambeau.drawing.layout import lay_out

ENGINES = [
    pytest.param("dot", marks=pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")),
    pytest.param("grandalf", marks=pytest.mark.skipif(find_spec("grandalf") is None, reason="grandalf is not installed")),
]
pytestmark = pytest.mark.skipif(not shutil.which("dot") and find_spec("grandalf") is None, reason="nothing to lay out with")


def texts(drawing: Any) -> list[str]:
    """All text in the picture."""
    root = ElementTree.fromstring(drawing.svg)
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def labels(drawing: Any) -> list[list[str]]:
    return [line.labels for line in drawing.figure.lines if line.labels]


def box(drawing: Any, title: str) -> list[str]:
    return next(list(each.lines) for each in drawing.figure.boxes.values() if each.lines[0] == title)


# -- one weight, by hand: x = 1, y = 2, w = 1; ŷ = w·x = 1, s = ŷ - y = -1, loss = s² = 1 --------------------------------------
# ∂loss/∂s = 2s = -2; ∂s/∂ŷ = 1, so ∂loss/∂ŷ = -2; ∂ŷ/∂w = x = 1, so ∂loss/∂w = -2.

BY_HAND = {("local ∂loss/∂s = -2", "∂loss/∂s = -2"), ("local ∂s/∂y_hat = 1", "∂loss/∂y_hat = -2"),
           ("local ∂y_hat/∂w = 1", "∂loss/∂w = -2")}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_one_weight_by_hand(engine: str) -> None:
    w, x, y = torch.tensor(1.0, requires_grad=True), torch.tensor(1.0), torch.tensor(2.0)
    y_hat = w * x
    s = y_hat - y
    loss = s**2
    drawing = torch.draw(loss, engine=engine)
    assert set(map(tuple, labels(drawing))) == BY_HAND
    assert box(drawing, "w") == ["w", "float32", "1", "∂loss/∂w = -2"]
    assert box(drawing, "x") == ["x", "float32", "1"]
    assert box(drawing, "s") == ["s", "float32", "-1", "∂loss/∂s = -2"]
    assert box(drawing, "loss") == ["loss", "float32", "1", "∂loss/∂loss = 1"]
    assert {"mul", "sub", "pow 2", "local ∂y_hat/∂w = 1"} <= set(texts(drawing))
    loss.backward()
    assert w.grad.item() == -2  # as autograd has it; drawing has neither freed the graph nor accumulated anything


def test_constants_are_there_when_remembered() -> None:
    w, x, y = torch.tensor(1.0, requires_grad=True), torch.tensor(1.0), torch.tensor(2.0)
    with torch.drawing.remember():
        y_hat = w * x
        s = y_hat - y
        loss = s**2
    drawing = torch.draw(loss)
    assert set(map(tuple, labels(drawing))) == BY_HAND
    assert box(drawing, "y") == ["y", "float32", "2"]
    assert drawing.text().split("\n")[4] == "s = sub(y_hat, y) = -1   ∂loss/∂s = -2"


def test_values_nobody_holds_are_computed_again() -> None:
    w, x, y = torch.tensor(3.0, requires_grad=True), torch.tensor(2.0), torch.tensor(2.0)
    loss = (w * x - y) ** 2
    lines = torch.draw(loss).text().split("\n")
    assert lines == [
        "w = 3   ∂loss/∂w = 16", "x = 2", "mul(w, x) = 6   ∂loss/∂mul = 8", "sub(mul) = 4   ∂loss/∂sub = 8",
        "loss = pow(sub, 2) = 16   ∂loss/∂loss = 1",
    ]  # fmt: skip


def test_gradients_from_two_sides_are_summed() -> None:
    w = torch.tensor(3.0, requires_grad=True)
    loss = w * w + 2 * w
    drawing = torch.draw(loss)
    assert box(drawing, "w")[-1] == "∂loss/∂w = 8"
    flowing = sorted(each[-1] for each in labels(drawing))
    assert flowing == ["∂loss/∂w = 2", "∂loss/∂w = 3", "∂loss/∂w = 3", "∂loss/∂· = 1", "∂loss/∂· = 1"]


def test_gradient_already_accumulated_is_shown() -> None:
    w = torch.tensor(3.0, requires_grad=True)
    (w * 5).backward()
    loss = w * w
    assert box(torch.draw(loss), "w") == ["w", "float32", "3", "∂loss/∂w = 6", "grad = 5"]


def test_freed_graph_says_so() -> None:
    w = torch.tensor(3.0, requires_grad=True)
    loss = w * w
    loss.backward()
    drawing = torch.draw(loss)
    assert not labels(drawing) and "backward() has freed the graph" in texts(drawing)[-1]
    assert box(drawing, "w") == ["w", "float32", "3", "grad = 6"]


# -- tensors, modules, functions -------------------------------------------------------------------------------------------


def test_model_with_parameters_named() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    inputs, target = torch.rand(5, 3), torch.tensor([0, 1, 1, 0, 1])
    drawing = torch.draw(lambda: nn.functional.cross_entropy(model(inputs), target))
    titles = {each.lines[0] for each in drawing.figure.boxes.values()}
    assert {"model.0.weight", "model.2.bias", "inputs", "target", "linear", "relu", "cross_entropy", "result"} <= titles
    assert "Jacobian 20×12" in texts(drawing) and box(drawing, "target")[1:] == ["[5] int64", "[0, 1, 1, 0, 1]"]
    assert box(drawing, "inputs")[1] == "[5, 3] float32" and " … " in box(drawing, "inputs")[2]
    assert all(each._grad is None for each in model.parameters())


def test_module_is_called() -> None:
    model = nn.Linear(2, 1)
    drawing = torch.draw(model, torch.ones(1, 2), names={"m": model})
    assert box(drawing, "m.weight")[1] == "[1, 2] float32"
    assert {"∂result/∂m.weight = [[1, 1]]", "∂result/∂m.bias = [1]"} <= set(texts(drawing))


def test_not_a_number_needs_a_gradient() -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * torch.tensor([1.0, 2.0, 3.0])
    assert "Draw a loss" in texts(torch.draw(y))[-1]
    drawing = torch.draw(y, gradient=torch.tensor([1.0, 0.0, 2.0]))
    assert labels(drawing) == [["local ∂y/∂x = [1, 2, 3]", "∂y/∂x = [1, 0, 6]"]]


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0] * 2


def test_views_lists_several_results_and_own_functions() -> None:
    x = torch.arange(6.0, requires_grad=True)
    first, second = x.reshape(2, 3).unbind(0)
    loss = (Twice.apply(torch.cat([first, second])) * x).sum()
    drawing = torch.draw(loss)
    assert np.allclose([float(each) for each in box(drawing, "x")[-1].split("length ")[1:]], np.linalg.norm(4 * np.arange(6)), 1e-3)
    assert {"cat", "twice", "mul", "sum"} <= {each.lines[0] for each in drawing.figure.boxes.values()}


def test_in_place() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.drawing.remember():
        y = x * 2
        y.add_(1)
        loss = y.sum()
    assert "∂loss/∂x = [2, 2]" in texts(torch.draw(loss))


def test_large_graphs_are_drawn_without_numbers() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    loss = w
    for _ in range(70):
        loss = loss * 1.01
    drawing = torch.draw(loss, engine="grandalf")
    assert not labels(drawing) and "70 operators" in repr(drawing)
    assert labels(torch.draw(loss, numbers=True))


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="no history"):
        torch.draw(torch.ones(2))
    with pytest.raises(ValueError, match="no history"):
        torch.draw(torch.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="a tensor, or a function"):
        torch.draw(3)
    with pytest.raises(TypeError, match="must return a tensor"):
        torch.draw(lambda: 3)
    w = torch.tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="engine"):
        _ = torch.draw(w * 2, engine="neato").svg
    with pytest.raises(ValueError, match=r"saved as \.svg or \.png"):
        torch.draw(w * 2, file="graph.pdf")


def test_nothing_to_lay_out_with(monkeypatch: Any) -> None:
    pytest.importorskip("grandalf")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    w = torch.tensor(1.0, requires_grad=True)
    assert "<svg" in torch.draw(w * 2).svg  # grandalf steps in
    for name in ("grandalf", "grandalf.graphs"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"flambeau\[drawing\]"):
        _ = torch.draw(w * 2).svg
    assert torch.draw(w * 2).text() and "MulBackward0" in (w * 2).grad_fn._repr_html_()


def test_remember_leaves_nothing_behind() -> None:
    from flambeau.autograd.tape import anomaly
    from flambeau.tracing.recorder import observer

    with pytest.raises(KeyError), torch.drawing.remember():
        raise KeyError
    assert not anomaly.enabled and "remember" not in vars(anomaly) and observer.entries is list
    assert not hasattr((torch.tensor(1.0, requires_grad=True) * 2).grad_fn, "remembered")


# -- pictures --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_files(tmp_path: Any, engine: str) -> None:
    images = pytest.importorskip("PIL.Image")
    w = torch.tensor(1.0, requires_grad=True)
    loss = (w * 2 - 1).relu()
    drawing = torch.draw(loss, file=tmp_path / "graph.svg", engine=engine)
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8") == drawing.svg == drawing._repr_svg_()
    assert ElementTree.fromstring(drawing._repr_html_()).get("style", "").startswith("overflow")
    drawing.save(tmp_path / "graph.png")
    picture = images.open(tmp_path / "graph.png")
    picture.load()
    assert picture.width == pytest.approx(2 * drawing.layout.width, abs=2)
    pixels = np.asarray(picture)
    assert (pixels == (0xDC, 0xEB, 0xFB)).all(2).any() and (pixels < 100).any()  # a parameter's box, and text
    assert images.open(io.BytesIO(drawing.png)).size == picture.size


def test_text_is_escaped() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    drawing = torch.draw(w * 2, names={"<b>&w": w})
    assert "<b>&w" in texts(drawing) and "<b>" not in drawing.svg


@st.composite
def figures(draw: Any) -> Figure:
    """A figure of some boxes, each below some of those before it."""
    made = Figure()
    for key in range(draw(st.integers(1, 9))):
        made.boxes[key] = Box("value", ["x" * draw(st.integers(1, 20))] * draw(st.integers(1, 3)))
        if key:
            for source in draw(st.sets(st.integers(0, key - 1), max_size=3)):
                made.lines.append(Line(source, key, ["label"] * draw(st.integers(0, 2))))
    return made


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=15, deadline=None)
@given(figure=figures())
def test_nothing_overlaps(engine: str, figure: Figure) -> None:
    layout = lay_out(figure, engine)
    places = list(layout.places.values())
    for k, (x, y, w, h) in enumerate(places):
        assert 0 <= x - w / 2 and x + w / 2 <= layout.width and 0 <= y - h / 2 and y + h / 2 <= layout.height
        for x2, y2, w2, h2 in places[:k]:
            assert abs(x - x2) >= (w + w2) / 2 - 1 or abs(y - y2) >= (h + h2) / 2 - 1
    for line, path in zip(figure.lines, layout.paths):  # from below the one to above the other
        assert len(path) >= 2
        for end, key in ((path[0], line.source), (path[-1], line.target)):
            x, y, w, h = layout.places[key]
            assert abs(end[0] - x) <= w / 2 + 1 and abs(end[1] - y) <= h / 2 + 1
        x, y, w, h = layout.places[line.target]  # the arrow points into the box
        (before_x, before_y), (end_x, end_y) = path[-2:]
        assert (end_x - before_x) * (x - end_x) + (end_y - before_y) * (y - end_y) > 0


# -- all gradients at once -------------------------------------------------------------------------------------------------


def test_flows_agree_with_autograd() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    loss = (model(torch.rand(6, 3)) ** 2).mean()
    flows = flows_from(loss)
    wanted = torch.autograd.grad(loss, list(model.parameters()))
    found = {id(node.variable): grad for (node, _), grad in flows.total.items() if type(node).__name__ == "AccumulateGrad"}
    for parameter, grad in zip(model.parameters(), wanted):
        assert torch.allclose(found[id(parameter)], grad)
