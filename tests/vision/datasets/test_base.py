"""``VisionDataset`` and ``FakeData``."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.vision import transforms
from flambeau.vision.datasets import FakeData, VisionDataset


class Three(VisionDataset):
    """Three numbers."""

    def __getitem__(self, index: int) -> object:
        sample = (index, -index)
        return sample if self.transforms is None else self.transforms(*sample)

    def __len__(self) -> int:
        return 3


def test_transforms_of_one_or_of_both() -> None:
    assert Three("x", transform=str)[1] == ("1", -1)
    assert Three("x", transform=str, target_transform=abs)[2] == ("2", 2)
    assert Three("x", transforms=lambda sample, target: (target, sample))[1] == (-1, 1)
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform can be passed"):
        Three("x", transforms=max, transform=str)


def test_the_subclass_must_say_what_it_holds() -> None:
    with pytest.raises(NotImplementedError, match="VisionDataset must define __getitem__"):
        VisionDataset("x")[0]


def test_what_is_printed() -> None:
    shown = repr(Three("x", transform=transforms.Compose([transforms.ToTensor()]), target_transform=abs))
    assert shown == (
        "Dataset Three\n    Number of datapoints: 3\n    Root location: x\n    StandardTransform\n"
        "Transform: Compose(\n               ToTensor()\n           )\n"
        "Target transform: <built-in function abs>"
    )


def test_fake_data_is_the_same_each_time() -> None:
    data = FakeData(size=4, image_size=(3, 5, 6), num_classes=3)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    image, target = data[2]
    assert torch.equal(before, torch.get_rng_state())  # the default stream is not drawn from
    again, same = data[2]
    assert image.size == (6, 5) and image.mode == "RGB" and 0 <= target < 3
    assert np.array_equal(np.asarray(image), np.asarray(again)) and target == same
    assert not np.array_equal(np.asarray(image), np.asarray(data[3][0]))
    shifted = FakeData(size=4, image_size=(3, 5, 6), num_classes=3, random_offset=1)
    assert np.array_equal(np.asarray(shifted[1][0]), np.asarray(image))
    with pytest.raises(IndexError, match="FakeData index out of range"):
        data[4]
