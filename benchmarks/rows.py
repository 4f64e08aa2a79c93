"""The rows of the table: what is measured, and what it should reach."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import models


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        name: what it is asked for by.
        title: what the table calls it.
        make: from the library to the step.
        least, aim: how many times faster than PyTorch it should be, and is hoped to be.
        operator: no training step, but a call whose result is wanted: it is held until it is computed.
        captured: the least where the step is captured; None where that is not measured.
    """

    name: str
    title: str
    make: Callable[[Any], Callable[[], Any]]
    least: float
    aim: float | None
    operator: bool = False
    captured: float | None = None


ROWS = (
    Row("by_hand", "1-weight linear regression by hand, 4 points", models.by_hand, 2, 4, captured=25),
    Row("linear", "nn.Linear(1, 1), MSE, SGD", models.linear_regression, 3, 5, captured=25),
    Row("logistic", "logistic regression 569×30, BCE, SGD", models.logistic_regression, 2.5, 5, captured=25),
    Row("mlp", "MLP 784-500-10, batch 100, Adam", models.mlp, 1.8, 2.5),
    Row("cnn4", "CIFAR CNN, batch 4, SGD", partial(models.cnn, batch=4), 2.5, 4, captured=4),
    Row("cnn64", "CIFAR CNN, batch 64, SGD", partial(models.cnn, batch=64), 1.5, 3),
    Row("resnet", "ResNet-18, batch 4, 224×224, SGD momentum", models.resnet_training, 1.1, 1.5),
    Row("resnet_inference", "ResNet-18 inference, batch 4", models.resnet_inference, 1.1, 1.6, True),
    Row("gpt", "GPT 4 layers × 128, batch 12 × 64, AdamW", models.gpt, 1.4, 1.8),
    Row("lstm", "LSTM 2 × 128 on 28×28, batch 100, Adam", models.lstm, 1.4, 2),
    Row("exp", "exp, 16M floats", models.exponential, 2, None, True),
    Row("gelu", "erf-GELU, 16M floats", models.gelu, 4, None, True),
    Row("sum", "sum, 16M floats", models.total, 1, None, True),
    Row("softmax", "softmax 4096×1024", models.softmax, 1.2, None, True),
    Row("layer_norm", "layer_norm 4096×1024", models.layer_norm, 1.2, None, True),
    Row("convolution", "3×3 convolution 64→64 at 56×56, batch 8", models.convolution, 1, 1.8, True),
    Row("gemm", "GEMM 1024³", models.matrix_product, 1, None, True),
)
NAMED = {row.name: row for row in ROWS}
