"""What was written is what a TensorBoard server on loopback answers when its pages ask for it."""

from __future__ import annotations

import io
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")

import flambeau as torch
from flambeau.utils.tensorboard import SummaryWriter

PICTURE = np.arange(48, dtype=np.uint8).reshape(3, 4, 4) * 5


def write(folder: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    with SummaryWriter(folder / "run") as writer:
        for step in range(4):
            writer.add_scalar("loss/train", 1 / (step + 1), step)
            writer.add_histogram("weights", torch.linspace(-1, 1, 100), step)
        writer.add_image("picture", torch.tensor(PICTURE), 3)
        writer.add_text("note", "hello *world*", 1)
        writer.add_graph(model, torch.ones(1, 2))
        writer.add_pr_curve("curve", torch.tensor([0, 1, 1, 0]), torch.tensor([0.1, 0.9, 0.4, 0.6]), 2)
        writer.add_hparams({"lr": 0.1, "name": "sgd"}, {"accuracy": 0.75}, run_name="tuned")
        writer.add_embedding(torch.eye(3), ["a", "b", "c"], global_step=7)
        writer.add_scalars("both", {"a": 1.0, "b": 2.0}, 0)


@pytest.fixture(scope="module")
def address(tmp_path_factory: Any) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("logs")
    write(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--host", "127.0.0.1", "--port", str(port),
        "--load_fast", "false", "--reload_interval", "1",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + 60
        while True:
            try:
                runs = json.loads(urllib.request.urlopen(address + "data/runs", timeout=5).read())
                if {"run", "run/tuned", "run/both_a", "run/both_b"} <= set(runs):
                    break
            except OSError:
                assert server.poll() is None, "the server ended"
            assert time.monotonic() < end, "the server did not read the runs"
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def get(address: str, path: str, **query: Any) -> bytes:
    url = address + "data/" + path + ("?" + urllib.parse.urlencode(query) if query else "")
    return bytes(urllib.request.urlopen(url, timeout=10).read())


def ask(address: str, path: str, **query: Any) -> Any:
    return json.loads(get(address, path, **query))


def post(address: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(address + "data/" + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(request, timeout=10).read())


def test_scalars(address: str) -> None:
    points = ask(address, "plugin/scalars/scalars", run="run", tag="loss/train")
    assert [(step, value) for _, step, value in points] == [(k, pytest.approx(1 / (k + 1))) for k in range(4)]
    assert ask(address, "plugin/scalars/scalars", run="run/both_b", tag="both")[0][2] == 2


def test_image(address: str) -> None:
    images = pytest.importorskip("PIL.Image")
    found = ask(address, "plugin/images/images", run="run", tag="picture", sample=0)
    assert len(found) == 1 and found[0]["step"] == 3
    blob = get(address, "plugin/images/individualImage?" + found[0]["query"])
    assert np.array_equal(np.asarray(images.open(io.BytesIO(blob))), PICTURE.transpose(1, 2, 0))


def test_graph(address: str) -> None:
    text = get(address, "plugin/graphs/graph", run="run", conceptual="false").decode()
    assert 'name: "Sequential/Linear[0]/linear"' in text and 'input: "Sequential/Linear[0]/linear"' in text


def test_histogram(address: str) -> None:
    found = ask(address, "plugin/histograms/histograms", run="run", tag="weights")
    assert [step for _, step, _ in found] == [0, 1, 2, 3]
    assert sum(count for _, _, count in found[0][2]) == 100


def test_text(address: str) -> None:
    found = ask(address, "plugin/text/text", run="run", tag="note/text_summary")
    assert "<em>world</em>" in found[0]["text"]


def test_pr_curve(address: str) -> None:
    found = ask(address, "plugin/pr_curves/pr_curves", run="run", tag="curve")
    curve = found["run"][0]
    assert curve["step"] == 2 and curve["true_positives"][0] == 2 and curve["false_positives"][0] == 2


def test_hyperparameters(address: str) -> None:
    about = post(address, "plugin/hparams/experiment", {"experimentName": ""})
    assert {each["name"] for each in about["hparamInfos"]} == {"lr", "name"}
    assert about["metricInfos"][0]["name"]["tag"] == "accuracy"


def test_embedding(address: str) -> None:
    info = ask(address, "plugin/projector/info", run="run")
    assert info["embeddings"][0]["tensorName"] == "default:00007"
    numbers = np.frombuffer(get(address, "plugin/projector/tensor", run="run", name="default:00007"), np.float32)
    assert np.array_equal(numbers.reshape(3, 3), np.eye(3))
    assert get(address, "plugin/projector/metadata", run="run", name="default:00007") == b"a\nb\nc\n"


def browse(address: str, tab: str, folder: Path, *options: str) -> str:
    """What headless Chromium makes of a page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
        "--window-size=1200,800", "--virtual-time-budget=25000", *options, f"{address}#{tab}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_a_browser_shows_scalars_and_images(address: str, tmp_path: Path) -> None:
    page = browse(address, "timeseries", tmp_path, "--dump-dom")
    shown = re.sub(r"<[^>]*>", " ", page[page.index("<body") :])
    assert {"loss", "picture", "weights"} <= set(shown.split())


def test_a_browser_draws_the_graph(address: str, tmp_path: Path) -> None:
    images = pytest.importorskip("PIL.Image")
    browse(address, "graphs&run=run", tmp_path, f"--screenshot={tmp_path}/graph.png")
    picture = np.asarray(images.open(tmp_path / "graph.png").convert("RGB"))
    drawing = picture[120:, 310:].reshape(-1, 3)  # right of the options, below the title
    assert (drawing != 255).any(1).sum() > 1000
