"""The same calls on PyTorch's writer and on ours put the same events into the file."""

from __future__ import annotations

import glob
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboard")
theirs = pytest.importorskip("torch")

import flambeau  # noqa: E402
from flambeau.utils.tensorboard import SummaryWriter  # noqa: E402

random = np.random.default_rng(0)
PICTURE = random.random((3, 4, 5), np.float32)
BATCH = random.random((10, 1, 4, 5), np.float32)
LABELS = random.integers(0, 2, 50)
GUESSES = random.random(50)
POINTS = random.random((1, 4, 3), np.float32)
COLOURS = random.integers(0, 255, (1, 4, 3))


def events_of(folder: Any) -> list[tuple[str, str, Any]]:
    """(folder below, kind, event) of everything written, without times."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    found = []
    for path in sorted(glob.glob(f"{folder}/**/events.*", recursive=True)):
        below = path[len(str(folder)) :].rpartition("/")[0]
        for event in LegacyEventFileLoader(path).Load():
            event.wall_time = 0
            event.source_metadata.Clear()
            found.append((below, event.WhichOneof("what"), event))
    return found


CALLS = {
    "scalar": lambda w, t: w.add_scalar("a b/c:*", t.tensor(1.5), 3),
    "scalar_new": lambda w, t: w.add_scalar("/x", 2.5, t.tensor(7), new_style=True, double_precision=True),
    "scalar_walltime": lambda w, t: w.add_scalar("x", np.float64(2.5), walltime=12.0),
    "scalars": lambda w, t: w.add_scalars("group/of", {"u": 1, "v": t.tensor(2)}, 4, walltime=1.0),
    "text": lambda w, t: w.add_text("t", "**hello** é", 1),
    "tensor": lambda w, t: w.add_tensor("t", t.arange(6.0).reshape(2, 3), 1),
    "tensor_integers": lambda w, t: w.add_tensor("t", t.tensor([[1, 2], [3, 4]]), 1),
    "histogram": lambda w, t: w.add_histogram("h", t.tensor(GUESSES * 6 - 3), 2),
    "histogram_requires_grad": lambda w, t: w.add_histogram("h", t.ones(4, requires_grad=True), 2),
    "histogram_auto": lambda w, t: w.add_histogram("h", np.arange(10), 2, bins="auto"),
    "histogram_max_bins": lambda w, t: w.add_histogram("h", np.arange(10), 2, max_bins=10),
    "histogram_bins": lambda w, t: w.add_histogram("h", np.ones(10), 2, bins=[0, 2, 3]),
    "histogram_raw": lambda w, t: w.add_histogram_raw("h", 0, 2, 3, 3.0, 5.0, [1.0, 2.0, 3.0], t.tensor([1, 1, 1]), 2),
    "image": lambda w, t: w.add_image("i", t.tensor(PICTURE), 1),
    "image_hwc": lambda w, t: w.add_image("i", PICTURE.transpose(1, 2, 0), 1, dataformats="HWC"),
    "image_hw": lambda w, t: w.add_image("i", t.tensor(PICTURE[0]), 1, dataformats="HW"),
    "image_bytes": lambda w, t: w.add_image("i", (t.tensor(PICTURE) * 255).to(t.uint8), 1),
    "image_out_of_range": lambda w, t: w.add_image("i", t.tensor(PICTURE) * 4 - 2, 1),
    "images": lambda w, t: w.add_images("i", t.tensor(BATCH), 1),
    "images_nhwc": lambda w, t: w.add_images("i", BATCH.transpose(0, 2, 3, 1), 1, dataformats="NHWC"),
    "boxes": lambda w, t: w.add_image_with_boxes("i", t.zeros(3, 20, 20), t.tensor([[2, 3, 9, 12], [1, 1, 18, 5]])),
    "pr_curve": lambda w, t: w.add_pr_curve("p", t.tensor(LABELS), t.tensor(GUESSES), 1),
    "pr_curve_few": lambda w, t: w.add_pr_curve("p", LABELS, GUESSES, 1, num_thresholds=5, weights=GUESSES),
    "pr_curve_raw": lambda w, t: w.add_pr_curve_raw("p", *(t.arange(3.0),) * 6, num_thresholds=3),
    "custom": lambda w, t: w.add_custom_scalars({"T": {"tw": ["Multiline", ["a", "b"]], "m": ["Margin", ["a", "b", "c"]]}}),
    "custom_margin": lambda w, t: w.add_custom_scalars_marginchart(["a", "b", "c"]),
    "custom_lines": lambda w, t: w.add_custom_scalars_multilinechart(["a", "b"], "cat", "title"),
    "hparams": lambda w, t: w.add_hparams(
        {"lr": 0.1, "n": 3, "s": "x", "b": True, "none": None, "t": t.tensor([2.0])}, {"acc": t.tensor(0.5)},
        {"n": [1, 2, 3], "s": ["x", "y"]}, run_name="r",
    ),
    "mesh": lambda w, t: w.add_mesh("m", t.tensor(POINTS), t.tensor(COLOURS), t.tensor([[[0, 1, 2]]]), {"camera": 1}),
    "audio": lambda w, t: w.add_audio("s", t.tensor([[0.0, 0.5, -1.0]]), sample_rate=8000),
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS)
def test_same_events(call: str, tmp_path: Any) -> None:
    from torch.utils.tensorboard import SummaryWriter as TheirWriter

    with TheirWriter(str(tmp_path / "theirs")) as writer:
        CALLS[call](writer, theirs)
    with SummaryWriter(tmp_path / "ours") as ours:
        CALLS[call](ours, flambeau)
    wanted, got = events_of(tmp_path / "theirs"), events_of(tmp_path / "ours")
    assert len(wanted) > 1
    assert [str(each) for each in got] == [str(each) for each in wanted]


@pytest.mark.parity
@pytest.mark.parametrize("header", [None, ["word", "number"]])
def test_same_embedding(header: Any, tmp_path: Any) -> None:
    from torch.utils.tensorboard import SummaryWriter as TheirWriter

    labels = ["a", "b", "c"] if header is None else [["a", 1], ["b", 2], ["c", 3]]
    pictures = random.random((3, 3, 4, 4), np.float32)
    points = np.arange(6.0, dtype=np.float32).reshape(3, 2)
    for name, kind, library in (("theirs", TheirWriter, theirs), ("ours", SummaryWriter, flambeau)):
        with kind(str(tmp_path / name)) as writer:
            writer.add_embedding(
                library.tensor(points), labels, library.tensor(pictures), 3, "my tag/a", metadata_header=header
            )
            writer.add_embedding(library.tensor(points), global_step=4)
    for name in ("projector_config.pbtxt", "00003/my tag%2fa/tensors.tsv", "00003/my tag%2fa/metadata.tsv",
                 "00003/my tag%2fa/sprite.png", "00004/default/tensors.tsv"):  # fmt: skip
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes(), name
