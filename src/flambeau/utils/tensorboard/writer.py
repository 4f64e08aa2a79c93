"""``SummaryWriter``: what a training run shows in TensorBoard."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tensorboard.compat.proto import event_pb2

from .arrays import as_array
from .event_files import FileWriter
from .histograms import default_bins, histogram, histogram_raw, pr_curve, pr_curve_raw
from .hyperparameters import hparams
from .images import figure_pixels, image, image_boxes, video
from .meshes import mesh
from .scalars import custom_scalars, scalar, tensor_proto, text
from .sounds import audio

__all__ = ["FileWriter", "SummaryWriter"]


class SummaryWriter:
    """Writes summaries into an event file, which TensorBoard shows.

    Args:
        log_dir: the folder of this run; by default ``runs/`` with the date, the time and the computer's name.
        comment: added to the default folder's name.
        purge_step: what an earlier, crashed run wrote into this folder from this step on is not shown.
        max_queue: how many events may wait before one is written.
        flush_secs: how often, in seconds, what waits is written.
        filename_suffix: the end of the event file's name.

    >>> import flambeau as torch, tempfile
    >>> from flambeau.utils.tensorboard import SummaryWriter
    >>> with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
    ...     for step in range(3): writer.add_scalar("loss", torch.tensor(1 / (step + 1)), step)
    """

    def __init__(
        self, log_dir: Any = None, comment: str = "", purge_step: int | None = None, max_queue: int = 10,
        flush_secs: float = 120, filename_suffix: str = "",
    ) -> None:  # fmt: skip
        if not log_dir:
            log_dir = os.path.join("runs", f"{datetime.now():%b%d_%H-%M-%S}_{socket.gethostname()}{comment}")
        self.log_dir = log_dir
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self.file_writer: FileWriter | None = None
        self.all_writers: dict[str, FileWriter] | None = None
        self.default_bins = default_bins()
        self._projector: Any = None
        self._get_file_writer()

    # -- files ---------------------------------------------------------------------------------------------------------

    def _get_file_writer(self) -> FileWriter:
        """The writer of this run's folder; a new one after :meth:`close`."""
        if self.all_writers is None or self.file_writer is None:
            made = self.file_writer = FileWriter(self.log_dir, self.max_queue, self.flush_secs, self.filename_suffix)
            self.all_writers = {made.get_logdir(): made}
            if self.purge_step is not None:
                made.add_event(event_pb2.Event(step=self.purge_step, file_version="brain.Event:2"))
                start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
                made.add_event(event_pb2.Event(step=self.purge_step, session_log=start))
                self.purge_step = None
        return self.file_writer

    def get_logdir(self) -> Any:
        """The folder of this run."""
        return self.log_dir

    def flush(self) -> None:
        """Write what waits to disk."""
        for each in (self.all_writers or {}).values():
            each.flush()

    def close(self) -> None:
        """Write what waits and close the files; adding something later opens new ones."""
        for each in (self.all_writers or {}).values():
            each.flush()
            each.close()
        self.file_writer = self.all_writers = None

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def _add(self, summary: Any, global_step: Any, walltime: float | None) -> None:
        self._get_file_writer().add_summary(summary, global_step, walltime)

    # -- numbers and text ----------------------------------------------------------------------------------------------

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: Any = None, walltime: float | None = None, new_style: bool = False,
        double_precision: bool = False,
    ) -> None:  # fmt: skip
        """Add one number to the curve ``tag``.

        Args:
            tag: the curve's name; a path groups curves ("loss/train").
            scalar_value: a number or a tensor of one element.
            global_step: where on the curve.
            walltime: when, in seconds of the epoch (default: now).
            new_style: store a tensor, which TensorBoard loads faster; in ``double_precision`` where asked.

        Raises:
            AssertionError: there is more than one element.
        """
        made = scalar(tag, scalar_value, new_style=new_style, double_precision=double_precision)
        self._add(made, global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Add a number to each of several curves that are drawn in one chart, ``main_tag``.

        Each curve is a run of its own, in a folder below this one's.
        """
        walltime = time.time() if walltime is None else walltime
        folder = self._get_file_writer().get_logdir()
        assert self.all_writers is not None
        for tag, value in tag_scalar_dict.items():
            path = folder + "/" + main_tag.replace("/", "_") + "_" + tag
            if path not in self.all_writers:
                self.all_writers[path] = FileWriter(path, self.max_queue, self.flush_secs, self.filename_suffix)
            self.all_writers[path].add_summary(scalar(main_tag, value), global_step, walltime)

    def add_tensor(self, tag: str, tensor: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Add a whole tensor, to be read back by programs."""
        self._add(tensor_proto(tag, tensor), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None, walltime: float | None = None) -> None:
        """Add a text; it is shown as Markdown."""
        self._add(text(tag, text_string), global_step, walltime)

    def add_hparams(
        self, hparam_dict: dict[str, Any], metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list[Any]] | None = None, run_name: str | None = None, global_step: Any = None,
    ) -> None:  # fmt: skip
        """Add an experiment: its hyperparameters (numbers, strings, booleans) and the metrics it reached.

        Args:
            hparam_dict: hyperparameters by name.
            metric_dict: metrics by name; names that no curve of this run has.
            hparam_domain_discrete: all values a hyperparameter may have, by its name.
            run_name: the folder of this experiment below this run's (default: the time).
            global_step: the step of the metrics.

        Raises:
            TypeError: ``hparam_dict`` or ``metric_dict`` is no dictionary.
        """
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        summaries = hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(log_dir=folder) as writer:
            for each in summaries:
                writer._get_file_writer().add_summary(each, global_step)
            for name, value in metric_dict.items():
                writer.add_scalar(name, value, global_step)

    # -- distributions -------------------------------------------------------------------------------------------------

    def add_histogram(
        self, tag: str, values: Any, global_step: Any = None, bins: Any = "tensorflow", walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:  # fmt: skip
        """Add the distribution of all numbers in ``values``.

        Args:
            bins: "tensorflow" (growing by a tenth from zero), or what ``numpy.histogram`` takes.
            max_bins: merge bins until there are about so many.

        Raises:
            ValueError: there are no values.
        """
        self._add(histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(
        self, tag: str, min: Any, max: Any, num: Any, sum: Any, sum_squares: Any, bucket_limits: Any, bucket_counts: Any,
        global_step: Any = None, walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add a distribution that has been counted already; ``bucket_limits`` are the upper ends of the bins.

        Raises:
            ValueError: there are not as many limits as counts.
        """
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        limits, counts = as_array(bucket_limits).tolist(), as_array(bucket_counts).tolist()
        self._add(histogram_raw(tag, min, max, num, sum, sum_squares, limits, counts), global_step, walltime)

    def add_pr_curve(
        self, tag: str, labels: Any, predictions: Any, global_step: Any = None, num_thresholds: int = 127,
        weights: Any = None, walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add precision against recall.

        Args:
            labels: what is true: 0 or 1 for each sample.
            predictions: the predicted probability of 1.
            num_thresholds: how many points the curve has, at most 127.
            weights: what each sample counts for.
        """
        self._add(pr_curve(tag, labels, predictions, num_thresholds, weights), global_step, walltime)

    def add_pr_curve_raw(
        self, tag: str, true_positive_counts: Any, false_positive_counts: Any, true_negative_counts: Any,
        false_negative_counts: Any, precision: Any, recall: Any, global_step: Any = None, num_thresholds: int = 127,
        weights: Any = None, walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add precision against recall, with counts for each threshold."""
        counts = (true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts)
        self._add(pr_curve_raw(tag, *counts, precision, recall, num_thresholds, weights), global_step, walltime)

    # -- pictures and sound --------------------------------------------------------------------------------------------

    def add_image(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: float | None = None, dataformats: str = "CHW"
    ) -> None:
        """Add a picture: bytes as they are, other numbers between 0 and 1. ``dataformats``: "CHW", "HWC" or "HW"."""
        self._add(image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_images(
        self, tag: str, img_tensor: Any, global_step: Any = None, walltime: float | None = None, dataformats: str = "NCHW"
    ) -> None:
        """Add a batch of pictures as one, eight in a row. ``dataformats``: "NCHW" or "NHWC"."""
        self._add(image(tag, img_tensor, dataformats=dataformats), global_step, walltime)

    def add_image_with_boxes(
        self, tag: str, img_tensor: Any, box_tensor: Any, global_step: Any = None, walltime: float | None = None,
        rescale: float = 1, dataformats: str = "CHW", labels: Any = None,
    ) -> None:  # fmt: skip
        """Add a picture with a box around each object: rows of left, top, right, bottom, with a label each."""
        if labels is not None:
            labels = [labels] if isinstance(labels, str) else labels
            if len(labels) != box_tensor.shape[0]:
                labels = None
        made = image_boxes(tag, img_tensor, box_tensor, rescale, dataformats, labels)
        self._add(made, global_step, walltime)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """Add a matplotlib figure, or a list of them as a batch; ``close`` frees them afterwards."""
        if isinstance(figure, list):
            self.add_image(tag, figure_pixels(figure, close), global_step, walltime, dataformats="NCHW")
        else:
            self.add_image(tag, figure_pixels(figure, close), global_step, walltime, dataformats="CHW")

    def add_video(
        self, tag: str, vid_tensor: Any, global_step: Any = None, fps: float = 4, walltime: float | None = None
    ) -> None:
        """Add clips (N, T, C, H, W): bytes as they are, other numbers between 0 and 1."""
        self._add(video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(
        self, tag: str, snd_tensor: Any, global_step: Any = None, sample_rate: int = 44100, walltime: float | None = None
    ) -> None:
        """Add a sound (1, L) of samples between -1 and 1."""
        self._add(audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_mesh(
        self, tag: str, vertices: Any, colors: Any = None, faces: Any = None, config_dict: Any = None,
        global_step: Any = None, walltime: float | None = None,
    ) -> None:  # fmt: skip
        """Add points in space (B, N, 3), with colours of the same shape and the triangles between them (B, M, 3)."""
        self._add(mesh(tag, vertices, colors, faces, config_dict), global_step, walltime)

    # -- models --------------------------------------------------------------------------------------------------------

    def add_graph(
        self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True
    ) -> None:
        """Add the graph of a model, as one call of it with ``input_to_model`` is recorded.

        Args:
            model: the module.
            input_to_model: its argument, or a tuple of its arguments.
            verbose: print the graph.
            use_strict_trace: accepted; recording has no other way.
        """
        from .graphs import graph

        self._get_file_writer().add_graph(graph(model, input_to_model, verbose))

    def add_onnx_graph(self, prototxt: Any) -> None:
        """Add the graph of an ONNX file."""
        from .graphs import onnx_graph

        self._get_file_writer().add_onnx_graph(onnx_graph(prototxt))

    def add_embedding(
        self, mat: Any, metadata: Sequence[Any] | None = None, label_img: Any = None, global_step: Any = None,
        tag: str = "default", metadata_header: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        """Add points (N, D) for the projector, with a label and a picture (N, C, H, W) each.

        Raises:
            AssertionError: ``mat`` is no matrix, or labels or pictures are not as many as points.
        """
        from . import embeddings

        points = as_array(mat)
        if points.ndim != 2:
            raise AssertionError("mat should be 2D, where mat.size(0) is the number of data points")
        for each, name in ((metadata, "labels"), (label_img, "images")):
            if each is not None and len(each) != len(points):
                raise AssertionError(f"#{name} should equal with #data points")
        folder = self._get_file_writer().get_logdir()
        below = f"{str(global_step or 0).zfill(5)}/{embeddings.file_name_of(tag)}"
        path = os.path.join(folder, below)
        os.makedirs(path, exist_ok=True)
        if metadata is not None:
            embeddings.write_metadata(path, metadata, metadata_header)
        if label_img is not None:
            embeddings.write_sprite(path, label_img)
        embeddings.write_points(path, points)
        info = embeddings.embedding_info(below, tag, global_step, metadata, label_img)
        self._projector = embeddings.add_to_configuration(folder, info, self._projector)

    # -- charts of one's own -------------------------------------------------------------------------------------------

    def add_custom_scalars(self, layout: dict[str, dict[str, Sequence[Any]]]) -> None:
        """Lay curves out in charts: ``{category: {title: ["Multiline" or "Margin", [tags]]}}``. Once for each writer."""
        self._add(custom_scalars(layout), None, None)

    def add_custom_scalars_multilinechart(
        self, tags: Sequence[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart of several curves."""
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(
        self, tags: Sequence[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart of a curve with a lower and an upper margin: three tags."""
        self.add_custom_scalars({category: {title: ["Margin", tags]}})
