"""``SummaryWriter``: what its files hold, the model's graph, clips, figures; errors."""

from __future__ import annotations

import glob
import io
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import flambeau as torch
from flambeau.nn import functional as F
from flambeau.utils.tensorboard import FileWriter, RecordWriter, SummaryWriter, summary


def events_of(folder: Any) -> list[Any]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    return [each for path in sorted(glob.glob(f"{folder}/**/events.*", recursive=True)) for each in LegacyEventFileLoader(path).Load()]


def values_of(folder: Any) -> list[Any]:
    return [value for event in events_of(folder) for value in event.summary.value]


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(4, 8)
        self.norm = torch.nn.BatchNorm1d(8)
        self.body = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(8, 2))

    def forward(self, x: Any) -> Any:
        return F.softmax(self.body(self.norm(self.first(x))), 1) + 1


def graph_of(folder: Any) -> Any:
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    made = GraphDef()
    made.ParseFromString(next(each.graph_def for each in events_of(folder) if each.graph_def))
    return made


@pytest.mark.parametrize("grad", [True, False])
def test_graph_follows_modules(tmp_path: Any, grad: bool) -> None:
    net = Net()
    before = net.norm.running_mean.tolist()
    with SummaryWriter(tmp_path) as writer, torch.set_grad_enabled(grad):
        writer.add_graph(net, torch.rand(3, 4))
    nodes = {each.name: each for each in graph_of(tmp_path).node}
    linear = nodes["Net/Linear[first]/linear"]
    assert set(linear.input) == {"input/input", "Net/Linear[first]/weight", "Net/Linear[first]/bias"}
    assert [dim.size for dim in linear.attr["_output_shapes"].list.shape[0].dim] == [3, 8]
    assert nodes["Net/Linear[first]/weight"].op == "Parameter"
    assert nodes["Net/BatchNorm1d[norm]/running_mean"].op == "Buffer"
    assert "Net/Sequential[body]/ReLU[0]/relu" in nodes["Net/Sequential[body]/Linear[1]/linear"].input
    assert list(nodes["Net/add"].input) == ["Net/softmax"] and nodes["Net/add"].attr["numbers"].s == b"1"
    assert list(nodes["output/output.1"].input) == ["Net/add"]
    assert all(source in nodes for each in nodes.values() for source in each.input)
    assert net.norm.running_mean.tolist() == before
    assert not net._forward_hooks


class Looks(torch.nn.Module):
    """Looks at a number in the middle, so that it is recorded in two parts; has two results and a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)

    def forward(self, x: Any, options: dict[str, Any]) -> Any:
        hidden = self.first(x)
        if hidden.sum().item() < 1e9:
            hidden = hidden.relu_()
        return {"out": self.second(hidden), "sum": hidden + options["shift"]}


def test_graph_over_a_look_at_a_number(tmp_path: Any, capsys: Any) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(Looks(), (torch.from_numpy(np.ones((3, 2), np.float32)), {"shift": torch.ones(2)}), verbose=True)
    assert "Looks/Linear[second]/linear" in capsys.readouterr().out
    nodes = {each.name: each for each in graph_of(tmp_path).node}
    assert "Looks/relu" in nodes["Looks/Linear[second]/linear"].input
    assert list(nodes["Looks/relu"].input) == ["Looks/Linear[first]/linear"]
    assert list(nodes["Looks/add"].input) == ["Looks/relu", "input/input_1"]
    assert list(nodes["output/output.2"].input) == ["Looks/add"]


def test_graph_of_a_failing_model_leaves_nothing_behind(tmp_path: Any) -> None:
    from flambeau.tracing.recorder import observer, trace

    with SummaryWriter(tmp_path) as writer, pytest.raises(RuntimeError):
        writer.add_graph(Net(), torch.rand(3, 5))
    assert observer.entries is list and type(trace.entries) is list
    assert Net()(torch.rand(3, 4)).shape == (3, 2)


def test_figure(tmp_path: Any) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    figures = [pyplot.figure(figsize=(2, 1), dpi=50) for _ in range(2)]
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("one", figures[0], close=False)
        assert pyplot.get_fignums()
        writer.add_figure("both", figures)
    assert not pyplot.get_fignums()
    one, both = values_of(tmp_path)
    assert (one.image.width, one.image.height) == (100, 50) and (both.image.width, both.image.height) == (200, 50)


def test_video_is_an_animation(tmp_path: Any) -> None:
    images = pytest.importorskip("PIL.Image")
    clips = torch.zeros(3, 4, 3, 6, 8)
    for time in range(4):
        clips[:, time] = time / 3
    with SummaryWriter(tmp_path) as writer:
        writer.add_video("v", clips, fps=10)
    made = values_of(tmp_path)[0].image
    assert (made.width, made.height) == (16, 12)  # two by two, the fourth black
    animation = images.open(io.BytesIO(made.encoded_image_string))
    assert animation.n_frames == 4 and animation.info["duration"] == 100
    animation.seek(3)
    pixels = np.asarray(animation.convert("RGB"))
    assert pixels[0, 0].tolist() == [255] * 3 and pixels[-1, -1].tolist() == [0] * 3


def test_purge_step(tmp_path: Any) -> None:
    with SummaryWriter(tmp_path, purge_step=5) as writer:
        writer.add_scalar("x", 1, 5)
    _, version, start, scalar = events_of(tmp_path)
    assert version.file_version and start.step == 5 and start.session_log.status == start.session_log.START
    assert scalar.step == 5


def test_closed_writer_opens_a_new_file(tmp_path: Any) -> None:
    writer = SummaryWriter(tmp_path, filename_suffix=".mine")
    writer.add_scalar("x", 1)
    writer.close()
    writer.add_scalar("x", 2)
    writer.flush()
    assert len(glob.glob(f"{tmp_path}/events*.mine")) == 2 and writer.get_logdir() == tmp_path
    assert [each.simple_value for each in values_of(tmp_path)] == [1, 2]
    writer.close()


def test_default_folder(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with SummaryWriter(comment="_tuned") as writer:
        assert str(writer.log_dir).startswith("runs/") and str(writer.log_dir).endswith("_tuned")


def test_narrow_floats(tmp_path: Any) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", torch.tensor(1.5, dtype=torch.bfloat16))
        writer.add_histogram("h", torch.tensor([1.0, 2.0], dtype=torch.bfloat16))
    scalar, histogram = values_of(tmp_path)
    assert scalar.simple_value == 1.5 and histogram.histo.sum == 3


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda w: w.add_scalar("x", torch.ones(2)), AssertionError),
        (lambda w: w.add_scalar("x", "name"), NotImplementedError),
        (lambda w: w.add_histogram("x", torch.ones(0)), ValueError),
        (lambda w: w.add_histogram_raw("x", 0, 1, 1, 1, 1, [1, 2], [1]), ValueError),
        (lambda w: w.add_image("x", torch.ones(3, 4)), AssertionError),
        (lambda w: w.add_image("x", torch.ones(3, 4, 4), dataformats="CCH"), AssertionError),
        (lambda w: w.add_images("x", torch.ones(2, 5, 4, 4)), AssertionError),
        (lambda w: w.add_video("x", torch.ones(2, 3, 4, 4)), AssertionError),
        (lambda w: w.add_audio("x", torch.ones(2, 3)), AssertionError),
        (lambda w: w.add_custom_scalars_marginchart(["a"]), AssertionError),
        (lambda w: w.add_hparams([], {}), TypeError),
        (lambda w: w.add_hparams({"a": object()}, {}), ValueError),
        (lambda w: w.add_hparams({"a": 1}, {}, {"a": ["x"]}), TypeError),
        (lambda w: w.add_hparams({"a": 1}, {}, {"b": [1]}), TypeError),
        (lambda w: w.add_embedding(torch.ones(2)), AssertionError),
        (lambda w: w.add_embedding(torch.ones(2, 2), ["one"]), AssertionError),
    ],
)  # fmt: skip
def test_errors(tmp_path: Any, call: Any, error: type) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.raises(error):
        call(writer)


def test_loud_sound_warns(tmp_path: Any) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.warns(UserWarning, match="clipped"):
        writer.add_audio("x", torch.tensor([2.0, 0.5]))


def test_recipe_of_ones_own(tmp_path: Any) -> None:
    """Summaries made by hand and written by the file writer, as many recipes for hyperparameters do it."""
    writer = FileWriter(tmp_path)
    for each in summary.hparams({"lr": 0.1}, {"loss": 1.0}):
        writer.add_summary(each)
    writer.close()
    assert len(values_of(tmp_path)) == 3 and callable(RecordWriter)


def test_onnx_graph(tmp_path: Any) -> None:
    onnx = pytest.importorskip("onnx")
    of = onnx.helper
    floats = onnx.TensorProto.FLOAT
    graph = of.make_graph(
        [of.make_node("Gemm", ["x", "w"], ["h"], alpha=2.0), of.make_node("Relu", ["h"], ["y"])], "net",
        [of.make_tensor_value_info("x", floats, [1, 2])], [of.make_tensor_value_info("y", floats, [1, 2])],
        [of.make_tensor("w", floats, [2, 2], [1.0, 0, 0, 1])],
    )  # fmt: skip
    onnx.save(of.make_model(graph), str(tmp_path / "net.onnx"))
    with SummaryWriter(tmp_path) as writer:
        writer.add_onnx_graph(str(tmp_path / "net.onnx"))
    nodes = {each.name: each for each in graph_of(tmp_path).node}
    assert nodes["h"].op == "Gemm" and list(nodes["h"].input) == ["x", "w"] and b"alpha=2.0" in nodes["h"].attr["parameters"].s
    assert nodes["y"].op == "Relu" and list(nodes["y"].input) == ["h"] and nodes["w"].op == "Parameter"
