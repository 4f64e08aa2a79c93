"""Summaries of distributions: histograms, and precision against recall."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData

from .arrays import as_array
from .scalars import plugin, shape_of

#: TensorBoard shows no more thresholds than this.
MOST_THRESHOLDS = 127


@functools.cache
def default_bins() -> list[float]:
    """Bins that grow by a tenth from 1e-12 to 1e20, on both sides of zero."""
    limits = []
    limit = 1e-12
    while limit < 1e20:
        limits.append(limit)
        limit *= 1.1
    return [-each for each in reversed(limits)] + [0] + limits


def histogram(name: str, values: Any, bins: Any, max_bins: int | None = None) -> Any:
    """The distribution of all numbers in ``values``; ``bins`` is "tensorflow" or anything ``numpy.histogram`` takes."""
    if isinstance(bins, str) and bins == "tensorflow":
        bins = default_bins()
    made = make_histogram(as_array(values).astype(float), bins, max_bins)
    return Summary(value=[Summary.Value(tag=name, histo=made)])


def make_histogram(values: Any, bins: Any, max_bins: int | None = None) -> Any:
    """Counts with the upper limit of each bin, from one empty bin before the first number to the last number's bin.

    Raises:
        ValueError: there are no values.
    """
    if values.size == 0:
        raise ValueError("The input has no element.")
    values = values.reshape(-1)
    counts, limits = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        together = len(counts) // max_bins
        starts = np.arange(0, len(counts), together)
        counts, limits = np.add.reduceat(counts, starts), np.append(limits[:-1][starts], limits[-1])
    filled = np.flatnonzero(counts)
    if filled.size == 0:
        raise ValueError("no value lies within the given bins")
    first, last = int(filled[0]), int(filled[-1])
    # Bin k lies between limits k and k + 1; the empty one before the first says where that begins.
    shown = counts[first - 1 : last + 1] if first else np.append([0], counts[: last + 1])
    return HistogramProto(
        min=values.min(), max=values.max(), num=len(values), sum=values.sum(), sum_squares=values.dot(values),
        bucket_limit=limits[first : last + 2].tolist(), bucket=shown.tolist(),
    )  # fmt: skip


def histogram_raw(
    name: str, min: float, max: float, num: float, sum: float, sum_squares: float, bucket_limits: Any, bucket_counts: Any
) -> Any:
    """A histogram whose bins have been counted already."""
    made = HistogramProto(
        min=min, max=max, num=num, sum=sum, sum_squares=sum_squares, bucket_limit=bucket_limits, bucket=bucket_counts
    )
    return Summary(value=[Summary.Value(tag=name, histo=made)])


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int = 127, weights: Any = None) -> Any:
    """Precision and recall of binary predictions, for thresholds spread evenly over [0, 1]."""
    num_thresholds = min(num_thresholds, MOST_THRESHOLDS)
    data = compute_curve(as_array(labels), as_array(predictions), num_thresholds, weights)
    return _curve(tag, data, num_thresholds)


def pr_curve_raw(
    tag: str, tp: Any, fp: Any, tn: Any, fn: Any, precision: Any, recall: Any, num_thresholds: int = 127, weights: Any = None
) -> Any:
    """Precision and recall that have been counted already, a number for each threshold."""
    num_thresholds = min(num_thresholds, MOST_THRESHOLDS)
    return _curve(tag, np.stack([as_array(each) for each in (tp, fp, tn, fn, precision, recall)]), num_thresholds)


def _curve(tag: str, data: Any, num_thresholds: int) -> Any:
    content = PrCurvePluginData(version=0, num_thresholds=num_thresholds).SerializeToString()
    made = TensorProto(dtype="DT_FLOAT", float_val=data.reshape(-1).tolist(), tensor_shape=shape_of(data.shape))
    return Summary(value=[Summary.Value(tag=tag, tensor=made, metadata=plugin("pr_curves", content))])


def compute_curve(labels: Any, predictions: Any, num_thresholds: int | None = None, weights: Any = None) -> Any:
    """Six rows: true and false positives, true and false negatives, precision, recall; a column for each threshold.

    A prediction counts as positive at every threshold that is not above it.
    """
    number = num_thresholds or MOST_THRESHOLDS
    weights = 1.0 if weights is None else as_array(weights)
    truth = labels.astype(float)
    highest = np.int32(np.floor(predictions * (number - 1))).reshape(-1)  # the last threshold it is positive at

    def positives(share: Any) -> Any:
        """How many, by weight, are positive at each threshold."""
        each = np.broadcast_to(share, labels.shape).reshape(-1)
        counts = np.histogram(highest, bins=number, range=(0, number - 1), weights=each)[0]
        return np.cumsum(counts[::-1])[::-1]

    true, false = positives(truth * weights), positives((1.0 - truth) * weights)
    tiny = 1e-7
    return np.stack((
        true, false, false[0] - false, true[0] - true, true / np.maximum(tiny, true + false), true / np.maximum(tiny, true[0]),
    ))  # fmt: skip
