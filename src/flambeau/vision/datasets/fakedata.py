"""``FakeData``: noise with labels, for trying a program out."""

from __future__ import annotations

from typing import Any

from .vision import Transform, VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Images of noise and random classes; each index always gives the same.

    Args:
        size: how many.
        image_size: (channels, height, width).
        num_classes: how many classes.
        transform, target_transform: functions of the PIL image and of the class's number.
        random_offset: added to the index to make the seed of an image.

    >>> import flambeau as torch
    >>> image, label = torch.vision.datasets.FakeData(image_size=(3, 8, 8))[0]; image.size
    (8, 8)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target), transformed.

        Raises:
            IndexError: the index is ``size`` or more.
        """
        import flambeau

        from ..transforms.functional import to_pil_image

        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        generator = flambeau.Generator().manual_seed(index + self.random_offset)
        noise = flambeau.randn(*self.image_size, generator=generator)
        target: Any = int(flambeau.randint(0, self.num_classes, (1,), generator=generator).item())
        img: Any = to_pil_image(noise)
        return self._transformed(img, target)

    def __len__(self) -> int:
        return self.size
