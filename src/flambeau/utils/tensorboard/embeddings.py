"""Points for TensorBoard's projector: files beside the event file, and the configuration that names them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo, ProjectorConfig

from .arrays import as_array

#: The largest side of a picture that browsers show.
LARGEST_SPRITE = 8192


def file_name_of(tag: str) -> str:
    """A tag as the name of a folder."""
    return tag.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")


def write_points(path: str, points: Any) -> None:
    """One point a line."""
    with open(os.path.join(path, "tensors.tsv"), "w") as file:
        for row in points:
            file.write("\t".join(str(number) for number in row.tolist()) + "\n")


def write_metadata(path: str, metadata: Sequence[Any], header: Sequence[str] | None) -> None:
    """One label a line, or several columns with a header."""
    if header:
        lines = ["\t".join(header), *("\t".join(str(each) for each in row) for row in metadata)]
    else:
        lines = [str(each) for each in metadata]
    with open(os.path.join(path, "metadata.tsv"), "w", encoding="utf8") as file:
        file.write("\n".join(lines) + "\n")


def write_sprite(path: str, pictures: Any) -> None:
    """All pictures (N, C, H, W) in one, as square as can be."""
    from PIL import Image

    from .images import grid

    array = as_array(pictures)
    across = math.ceil(math.sqrt(array.shape[0]))
    if across * max(array.shape[2:]) > LARGEST_SPRITE:
        import warnings

        warnings.warn(
            f"the pictures of the points make one of {across * array.shape[3]} by {across * array.shape[2]} dots; browsers show "
            f"no more than {LARGEST_SPRITE}: use fewer or smaller ones", stacklevel=4,
        )  # fmt: skip
    missing = np.zeros((across * across - array.shape[0], *array.shape[1:]), array.dtype)
    sheet = grid(np.concatenate([array, missing]), across)
    scale = 1 if array.dtype == np.uint8 else 255
    pixels = (sheet.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels.transpose(1, 2, 0)).save(os.path.join(path, "sprite.png"))


def embedding_info(
    folder: str, tag: str, global_step: Any, metadata: Any, pictures: Any
) -> Any:
    """What the projector's configuration says of one set of points."""
    made = EmbeddingInfo(tensor_name=f"{tag}:{str(global_step or 0).zfill(5)}", tensor_path=f"{folder}/tensors.tsv")
    if metadata is not None:
        made.metadata_path = f"{folder}/metadata.tsv"
    if pictures is not None:
        made.sprite.image_path = f"{folder}/sprite.png"
        made.sprite.single_image_dim.extend([pictures.shape[3], pictures.shape[2]])
    return made


def add_to_configuration(path: str, info: Any, configuration: Any) -> Any:
    """Add one set of points to the configuration (None: a new one) and write it."""
    configuration = configuration or ProjectorConfig()
    configuration.embeddings.append(info)
    with open(os.path.join(path, "projector_config.pbtxt"), "w") as file:
        file.write(text_format.MessageToString(configuration))
    return configuration
