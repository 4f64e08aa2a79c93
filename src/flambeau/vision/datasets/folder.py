"""Data sets whose folders are the classes: ``root/ants/1.jpg``, ``root/bees/2.jpg``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ..pillow import Image
from .vision import Path, Transform, VisionDataset

__all__ = [
    "IMG_EXTENSIONS", "DatasetFolder", "ImageFolder", "default_loader", "find_classes", "has_file_allowed_extension",
    "is_image_file", "make_dataset", "pil_loader",
]  # fmt: skip

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a name ends in one of the extensions, in small letters or capitals.

    >>> has_file_allowed_extension("A.JPG", (".jpg", ".png"))
    True
    """
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename: str) -> bool:
    """Whether a name ends as those of images do."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: Path) -> tuple[list[str], dict[str, int]]:
    """The folders in ``directory`` by name, and the number of each.

    Raises:
        FileNotFoundError: there is none.
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: number for number, name in enumerate(classes)}


def make_dataset(
    directory: Path,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """(path, class) of every file below the classes' folders, in the order of their names.

    Args:
        class_to_idx: the classes; by default all folders.
        extensions: what names may end in; or ``is_valid_file``, a function of the path. One of the two.
        allow_empty: a class may have no file.

    Raises:
        ValueError: both or neither of ``extensions`` and ``is_valid_file``; no classes.
        FileNotFoundError: a class without a file.
    """
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        class_to_idx = find_classes(directory)[1]
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")

    def wanted(path: str) -> bool:
        if is_valid_file is not None:
            return is_valid_file(path)
        return has_file_allowed_extension(path, extensions or ())

    samples = []
    empty = set(class_to_idx)
    for name in sorted(class_to_idx):
        folder = os.path.join(directory, name)
        for below, _, files in sorted(os.walk(folder, followlinks=True)):
            found = [path for path in (os.path.join(below, file) for file in sorted(files)) if wanted(path)]
            samples += [(path, class_to_idx[name]) for path in found]
            if found:
                empty.discard(name)
    if empty and not allow_empty:
        message = f"Found no valid file for the classes {', '.join(sorted(empty))}. "
        if extensions is not None:
            listed = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f"Supported extensions are: {listed}"
        raise FileNotFoundError(message)
    return samples


def pil_loader(path: Path) -> Any:
    """The image in a file, in RGB."""
    with open(path, "rb") as file, Image.open(file) as image:
        return image.convert("RGB")


def default_loader(path: Path) -> Any:
    """How images are read unless a data set is told otherwise: ``pil_loader``."""
    return pil_loader(path)


class DatasetFolder(VisionDataset):
    """Files in folders that are their classes: ``root/<class>/…/<file>``.

    Args:
        root: the folder of the classes.
        loader: a function from a path to a sample.
        extensions: what names may end in; or ``is_valid_file``, a function of the path. One of the two.
        transform, target_transform: functions of the sample and of the class's number.
        allow_empty: a class may have no file.

    Attributes: ``classes``, ``class_to_idx``, ``samples`` (path and class of each), ``targets``.

    Raises:
        FileNotFoundError: no class, or a class without a file.
    """

    def __init__(
        self,
        root: Path,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader
        self.extensions = extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(
            self.root, self.class_to_idx, extensions, is_valid_file=is_valid_file, allow_empty=allow_empty
        )
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: Path,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """:func:`make_dataset`; a subclass may find its files otherwise."""
        if class_to_idx is None:
            raise ValueError("The class_to_idx parameter cannot be None.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: Path) -> tuple[list[str], dict[str, int]]:
        """:func:`find_classes`; a subclass may find its classes otherwise."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(sample, target), transformed."""
        path, target = self.samples[index]
        sample: Any = self.loader(path)
        return self._transformed(sample, target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in folders that are their classes: ``root/ants/1.jpg``. Arguments as for :class:`DatasetFolder`.

    Attributes: those of DatasetFolder, and ``imgs``, the same list as ``samples``.
    """

    def __init__(
        self,
        root: Path,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform=transform,
            target_transform=target_transform,
            is_valid_file=is_valid_file,
            allow_empty=allow_empty,
        )
        self.imgs = self.samples
