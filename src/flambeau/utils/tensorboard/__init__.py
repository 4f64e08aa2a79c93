"""Logging for TensorBoard, written with the ``tensorboard`` package: ``SummaryWriter`` and what it is made of.

    with SummaryWriter("runs/first") as writer:
        writer.add_scalar("loss", loss, step)

then ``tensorboard --logdir runs``.
"""

from __future__ import annotations

try:
    from tensorboard.summary.writer.record_writer import RecordWriter
except ImportError as error:
    raise ImportError(
        "TensorBoard logging needs the tensorboard package: pip install 'flambeau[tensorboard]' (or pip install tensorboard)"
    ) from error

from .event_files import FileWriter
from .writer import SummaryWriter

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]
