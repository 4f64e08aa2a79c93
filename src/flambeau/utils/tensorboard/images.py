"""Summaries of pictures, figures and clips. Layouts are named by letters: N number, C channel, H height, W width."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary

from .arrays import as_array

#: Pictures of a batch are laid out in rows of this many.
ACROSS = 8


def image(tag: str, tensor: Any, rescale: float = 1, dataformats: str = "NCHW") -> Any:
    """A picture, or a batch as one picture; bytes as they are, other numbers between 0 and 1."""
    array = as_array(tensor)
    scale = _scale_of(array)
    pixels = (to_height_width_channels(array, dataformats).astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    return Summary(value=[Summary.Value(tag=tag, image=make_image(pixels, rescale))])


def image_boxes(
    tag: str, tensor_image: Any, tensor_boxes: Any, rescale: float = 1, dataformats: str = "CHW",
    labels: Sequence[str] | None = None,
) -> Any:  # fmt: skip
    """A picture with a box around each object: rows of left, top, right, bottom."""
    array, boxes = as_array(tensor_image), as_array(tensor_boxes)
    scale = _scale_of(array)
    pixels = (to_height_width_channels(array, dataformats).astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    return Summary(value=[Summary.Value(tag=tag, image=make_image(pixels, rescale, boxes, labels))])


def _scale_of(array: Any) -> int:
    return 1 if array.dtype == np.uint8 else 255


def to_height_width_channels(array: Any, dataformats: str) -> Any:
    """A picture or a batch in any layout as one picture of three channels, (height, width, 3).

    Raises:
        AssertionError: the letters are not one for each dimension, or are repeated.
    """
    letters = dataformats.upper()
    if len(set(letters)) != len(letters):
        raise AssertionError(f"You can not use the same dimension shordhand twice. input_format: {dataformats}")
    if array.ndim != len(letters):
        raise AssertionError(
            f"size of input tensor and input format are different. tensor shape: {array.shape}, input_format: {dataformats}"
        )
    if len(letters) == 4:
        return grid(array.transpose([letters.find(each) for each in "NCHW"])).transpose(1, 2, 0)
    if len(letters) == 3:
        array = array.transpose([letters.find(each) for each in "HWC"])
        return np.concatenate([array] * 3, 2) if array.shape[2] == 1 else array
    return np.stack([array.transpose([letters.find(each) for each in "HW"])] * 3, 2)


def grid(pictures: Any, across: int = ACROSS) -> Any:
    """A batch (N, C, H, W) side by side in one picture (3, height, width)."""
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3):
        raise AssertionError(f"a batch of pictures has shape (N, 1 or 3, H, W), but got {list(pictures.shape)}")
    if pictures.shape[1] == 1:
        pictures = np.concatenate([pictures] * 3, 1)
    number, _, height, width = pictures.shape
    columns = min(number, across)
    rows = math.ceil(number / columns)
    made = np.zeros((3, height * rows, width * columns), pictures.dtype)
    for place, each in enumerate(pictures):
        row, column = divmod(place, columns)
        made[:, row * height : (row + 1) * height, column * width : (column + 1) * width] = each
    return made


def make_image(pixels: Any, rescale: float = 1, boxes: Any = None, labels: Sequence[str] | None = None) -> Any:
    """Bytes (height, width, channels) as a PNG in TensorBoard's protocol."""
    from PIL import Image

    height, width, channels = pixels.shape
    picture = Image.fromarray(pixels if channels > 1 else pixels[:, :, 0])
    if boxes is not None:
        picture = draw_boxes(picture, boxes, labels)
    picture = picture.resize((int(width * rescale), int(height * rescale)), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    picture.save(data, format="PNG")
    return Summary.Image(
        height=picture.height, width=picture.width, colorspace=channels, encoded_image_string=data.getvalue()
    )


def draw_boxes(disp_image: Any, boxes: Any, labels: Sequence[str] | None = None) -> Any:
    """A PIL picture with red frames, and a label at the lower left corner of each."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(disp_image)
    for place, (left, top, right, bottom) in enumerate(boxes.reshape(-1, 4).tolist()):
        pen.line([(left, top), (left, bottom), (right, bottom), (right, top), (left, top)], width=2, fill="Red")
        if labels is not None:
            _, _, wide, high = pen.textbbox((0, 0), labels[place])
            margin = math.ceil(0.05 * high)
            pen.rectangle([(left, bottom - high - 2 * margin), (left + wide + 2 * margin, bottom)], fill="Red")
            pen.text((left + margin, bottom - high - margin), labels[place], fill="black")
    return disp_image


def figure_pixels(figures: Any, close: bool = True) -> Any:
    """A matplotlib figure as bytes (3, height, width), or a list of them as a batch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def render(figure: Any) -> Any:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].transpose(2, 0, 1).copy()
        if close:
            from matplotlib import pyplot

            pyplot.close(figure)
        return pixels

    return np.stack([render(each) for each in figures]) if isinstance(figures, list) else render(figures)


def video(tag: str, tensor: Any, fps: float = 4) -> Any:
    """Clips (N, T, C, H, W), side by side, as one animated picture; bytes as they are, other numbers between 0 and 1."""
    array = as_array(tensor)
    scale = _scale_of(array)
    frames = (side_by_side(array).astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    return Summary(value=[Summary.Value(tag=tag, image=make_video(frames, fps))])


def side_by_side(clips: Any) -> Any:
    """Clips (N, T, C, H, W) as one (T, height, width, C): a power of two of them, as square as can be, missing ones black.

    Raises:
        AssertionError: there are not five dimensions.
    """
    if clips.ndim != 5:
        raise AssertionError(f"clips have five dimensions (N, T, C, H, W), but the shape is {list(clips.shape)}")
    number, times, channels, height, width = clips.shape
    full = 1 << max(number - 1, 0).bit_length()
    clips = np.concatenate([clips, np.zeros((full - number, *clips.shape[1:]), clips.dtype)])
    rows = 1 << ((full.bit_length() - 1) // 2)
    tiles = clips.reshape(rows, full // rows, times, channels, height, width).transpose(2, 0, 4, 1, 5, 3)
    return tiles.reshape(times, rows * height, full // rows * width, channels)


def make_video(frames: Any, fps: float) -> Any:
    """Bytes (T, height, width, channels) as an animated GIF in TensorBoard's protocol."""
    from PIL import Image

    _, height, width, channels = frames.shape
    pictures = [Image.fromarray(each if channels > 1 else each[:, :, 0]) for each in frames]
    data = io.BytesIO()
    pictures[0].save(
        data, format="GIF", save_all=True, append_images=pictures[1:], duration=round(1000 / fps), loop=0, disposal=2
    )
    return Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=data.getvalue())
