"""Summaries of sound."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary

from .arrays import as_array


def audio(tag: str, tensor: Any, sample_rate: int = 44100) -> Any:
    """One channel of samples between -1 and 1, as a WAV of 16 bits. Larger ones are clipped, with a warning."""
    array = as_array(tensor).squeeze()
    if array.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    if abs(array).max() > 1:
        import warnings

        warnings.warn(f"audio '{tag}': amplitudes above 1 are clipped; divide by the largest to keep them", stacklevel=4)
        array = array.clip(-1, 1)
    samples = (array * np.iinfo(np.int16).max).astype("<i2")
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.tobytes())
    made = Summary.Audio(
        sample_rate=sample_rate, num_channels=1, length_frames=len(samples), encoded_audio_string=data.getvalue(),
        content_type="audio/wav",
    )  # fmt: skip
    return Summary(value=[Summary.Value(tag=tag, audio=made)])
