"""Reading, writing, decoding and encoding images, through Pillow.

An image is a tensor (C, H, W) of uint8; one with 16 bits, which Pillow reads in grey only, of uint16.
"""

from __future__ import annotations

import io
import os
from enum import Enum
from typing import Any

from ... import operators
from ...core.dtypes import uint8

__all__ = [
    "ImageReadMode",
    "decode_avif",
    "decode_gif",
    "decode_heic",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "read_file",
    "read_image",
    "write_file",
    "write_jpeg",
    "write_png",
]


class ImageReadMode(Enum):
    """What channels an image is read with. ``UNCHANGED`` keeps those the file has."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


#: Pillow's names for the modes.
_PILLOW_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}


# --- files ------------------------------------------------------------------------------------------------------------


def read_file(path: str | os.PathLike[str]) -> Any:
    """The bytes of a file, a one-dimensional uint8 tensor."""
    import numpy

    return operators.from_numpy(numpy.fromfile(path, dtype=numpy.uint8))


def write_file(filename: str | os.PathLike[str], data: Any) -> None:
    """Write a one-dimensional uint8 tensor to a file.

    Raises:
        RuntimeError: it is no such tensor.

    >>> import os, tempfile
    >>> import flambeau as torch
    >>> path = os.path.join(tempfile.mkdtemp(), "bytes")
    >>> torch.vision.io.write_file(path, torch.tensor([1, 2], dtype=torch.uint8))
    >>> torch.vision.io.read_file(path)
    tensor([1, 2], dtype=torch.uint8)
    """
    with open(filename, "wb") as file:
        file.write(_bytes("write_file", data))


def _bytes(name: str, data: Any) -> bytes:
    if data.dtype != uint8:
        raise RuntimeError(f"{name}: Input tensor data type should be uint8, got {data.dtype}")
    if data.dim() != 1 or data.numel() == 0:
        raise RuntimeError(f"{name}: Expected a non empty 1-dimensional tensor, got shape {tuple(data.shape)}")
    return data.to("cpu").contiguous().numpy().tobytes()


# --- decoding ---------------------------------------------------------------------------------------------------------


def _read_mode(mode: ImageReadMode | str) -> ImageReadMode:
    return ImageReadMode[mode.upper()] if isinstance(mode, str) else mode


def _decoded(name: str, data: Any, mode: ImageReadMode | str, orient: bool = False, formats: Any = None) -> Any:
    """The first image in ``data``."""
    import numpy

    from ..pillow import Image, ImageOps

    try:
        picture: Any = Image.open(io.BytesIO(_bytes(name, data)), formats=formats)
        if orient:
            picture = ImageOps.exif_transpose(picture)
        picture.load()
    except OSError as error:
        kinds = " or ".join(formats) if formats else "image"
        raise RuntimeError(f"{name}: the data is no {kinds} file that Pillow reads: {error}") from None
    wanted = _PILLOW_MODES.get(_read_mode(mode))
    if wanted is None and picture.mode in ("P", "1", "PA"):  # colours by number are no channels
        wanted = "L" if picture.mode == "1" else "RGBA" if "transparency" in picture.info else "RGB"
    deep = picture.mode.startswith("I")
    if wanted is not None and wanted != picture.mode and not (deep and wanted == "L"):
        picture = picture.convert(wanted)
        deep = False
    pixels = numpy.array(picture)
    if deep:
        pixels = pixels.astype(numpy.uint16)
    return operators.from_numpy(numpy.ascontiguousarray(numpy.atleast_3d(pixels).transpose(2, 0, 1)))


def decode_image(
    input: Any, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Any:
    """The image (C, H, W) in a file, given by its bytes or its path; any format Pillow reads.

    A GIF with several images becomes (N, 3, H, W).

    Args:
        mode: what channels; an :class:`ImageReadMode` or its name.
        apply_exif_orientation: turn the image as its camera says.

    Raises:
        RuntimeError: the data is no image.

    >>> import flambeau as torch
    >>> image = torch.arange(12, dtype=torch.uint8).reshape(3, 2, 2)
    >>> torch.equal(torch.vision.io.decode_image(torch.vision.io.encode_png(image)), image)
    True
    """
    if not operators.is_tensor(input):
        input = read_file(input)
    if _bytes("decode_image", input)[:4] == b"GIF8":
        return decode_gif(input)
    return _decoded("decode_image", input, mode, apply_exif_orientation)


def read_image(
    path: str | os.PathLike[str],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> Any:
    """The image (C, H, W) in the file ``path``; as :func:`decode_image`.

    >>> import os, tempfile
    >>> import flambeau as torch
    >>> path = os.path.join(tempfile.mkdtemp(), "grey.png")
    >>> torch.vision.io.write_png(torch.zeros(1, 4, 6, dtype=torch.uint8), path)
    >>> torch.vision.io.read_image(path, "RGB").shape
    torch.Size([3, 4, 6])
    """
    return decode_image(read_file(path), mode, apply_exif_orientation)


def decode_png(
    input: Any, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Any:
    """The image (C, H, W) in the bytes of a PNG file.

    >>> import flambeau as torch
    >>> from flambeau.vision import io
    >>> io.decode_png(io.encode_png(torch.ones(1, 2, 2, dtype=torch.uint8))).flatten()
    tensor([1, 1, 1, 1], dtype=torch.uint8)
    """
    return _decoded("decode_png", input, mode, apply_exif_orientation, ["PNG"])


def decode_jpeg(
    input: Any,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    device: Any = "cpu",
    apply_exif_orientation: bool = False,
) -> Any:
    """The image (C, H, W) in the bytes of a JPEG file; of a list of them, a list.

    >>> import flambeau as torch
    >>> from flambeau.vision import io
    >>> io.decode_jpeg(io.encode_jpeg(torch.zeros(3, 8, 9, dtype=torch.uint8))).shape
    torch.Size([3, 8, 9])
    """
    if isinstance(input, list):
        return [decode_jpeg(each, mode, device, apply_exif_orientation) for each in input]
    return _decoded("decode_jpeg", input, mode, apply_exif_orientation, ["JPEG"]).to(device)


def decode_webp(input: Any, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> Any:
    """The image (C, H, W) in the bytes of a WebP file."""
    return _decoded("decode_webp", input, mode, formats=["WEBP"])


def decode_avif(input: Any, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> Any:
    """The image (C, H, W) in the bytes of an AVIF file, if Pillow was built to read those."""
    return _decoded("decode_avif", input, mode)


def decode_heic(input: Any, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> Any:
    """The image (C, H, W) in the bytes of a HEIC file; Pillow reads those with the plug-in pillow-heif."""
    return _decoded("decode_heic", input, mode)


def decode_gif(input: Any) -> Any:
    """The image (3, H, W) in the bytes of a GIF file, or (N, 3, H, W) if there are several."""
    import numpy

    from ..pillow import Image

    try:
        picture = Image.open(io.BytesIO(_bytes("decode_gif", input)), formats=["GIF"])
    except OSError as error:
        raise RuntimeError(f"decode_gif: the data is no GIF file that Pillow reads: {error}") from None
    frames = []
    for index in range(getattr(picture, "n_frames", 1)):
        picture.seek(index)
        frames.append(numpy.array(picture.convert("RGB")).transpose(2, 0, 1))
    return operators.from_numpy(numpy.ascontiguousarray(frames[0] if len(frames) == 1 else numpy.stack(frames)))


# --- encoding ---------------------------------------------------------------------------------------------------------


def _encoded(name: str, image: Any, kind: str, **options: Any) -> Any:
    import numpy

    from ..pillow import Image

    if image.dtype != uint8:
        raise RuntimeError(f"{name}: Input tensor dtype should be uint8, got {image.dtype}")
    if image.dim() != 3:
        raise RuntimeError(f"{name}: Input data should be a 3-dimensional tensor, got {tuple(image.shape)}")
    if image.shape[0] not in (1, 3):
        raise RuntimeError(f"{name}: The number of channels should be 1 or 3, got: {image.shape[0]}")
    pixels = image.permute(1, 2, 0).to("cpu").contiguous().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(file, kind, **options)
    return operators.from_numpy(numpy.frombuffer(file.getvalue(), dtype=numpy.uint8).copy())


def encode_png(input: Any, compression_level: int = 6) -> Any:
    """The bytes of a PNG file of an image (1 or 3, H, W), uint8; 0 to 9 says how hard to compress.

    Raises:
        RuntimeError: another dtype or shape, or no such level.

    >>> import flambeau as torch
    >>> from flambeau.vision import io
    >>> io.decode_png(io.encode_png(torch.zeros(3, 4, 5, dtype=torch.uint8))).shape
    torch.Size([3, 4, 5])
    """
    if not 0 <= compression_level <= 9:
        raise RuntimeError(f"encode_png: Compression level should be between 0 and 9, got {compression_level}")
    return _encoded("encode_png", input, "PNG", compress_level=compression_level)


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """The bytes of a JPEG file of an image (1 or 3, H, W), uint8; of a list of images, a list.

    Args:
        quality: 1 to 100.

    Raises:
        ValueError: no such quality.
        RuntimeError: another dtype or shape.

    >>> import flambeau as torch
    >>> from flambeau.vision import io
    >>> io.encode_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8))[:2]  # how a JPEG begins
    tensor([255, 216], dtype=torch.uint8)
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"Image quality should be a positive number between 1 and 100, got {quality}")
    if isinstance(input, list):
        if not input:
            raise ValueError("encode_jpeg requires at least one input tensor when a list is passed")
        return [encode_jpeg(each, quality) for each in input]
    return _encoded("encode_jpeg", input, "JPEG", quality=quality)


def write_png(input: Any, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write an image as a PNG file; as :func:`encode_png`."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Any, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write an image as a JPEG file; as :func:`encode_jpeg`."""
    write_file(filename, encode_jpeg(input, quality))
