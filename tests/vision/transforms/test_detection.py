"""Transforms for finding objects, and mixed batches."""

from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.utils.data import DataLoader, TensorDataset
from flambeau.vision.transforms import v2
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.tv_tensors import BoundingBoxes, Image, Mask

BOXES = [[3.0, 4, 20, 22], [10, 9, 44, 35], [0, 0, 5, 6], [2, 2, 2.5, 9]]


@pytest.fixture
def sample(unit: torch.Tensor) -> dict[str, Any]:
    """An image with four boxes, one of which is too narrow, a mask for each, and labels."""
    masks = torch.zeros(4, 37, 45, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, BOXES):
        mask[int(y1) : int(y2), int(x1) : int(x2)] = 1
    return {
        "image": Image(unit),
        "boxes": BoundingBoxes(BOXES, format="XYXY", canvas_size=(37, 45)),
        "masks": Mask(masks),
        "labels": torch.arange(4),
    }


@pytest.mark.parametrize(
    "transform",
    [
        v2.ScaleJitter((60, 50)),
        v2.RandomShortestSize([20, 30], max_size=33),
        v2.RandomResize(20, 50),
        v2.RandomZoomOut(p=1),
    ],
    ids=repr,
)
def test_sizes_are_the_same_for_all_parts(transform: v2.Transform, sample: dict[str, Any]) -> None:
    for seed in range(4):
        torch.manual_seed(seed)
        made = transform(sample)
        size = tuple(made["image"].shape[-2:])
        assert size == tuple(made["masks"].shape[-2:]) == made["boxes"].canvas_size and size != (37, 45)
        scale = 1.0 if isinstance(transform, v2.RandomZoomOut) else size[1] / 45
        widths = made["boxes"][:, 2] - made["boxes"][:, 0]
        assert torch.allclose(widths, (sample["boxes"][:, 2] - sample["boxes"][:, 0]) * scale)
        if isinstance(transform, v2.RandomShortestSize):
            assert max(size) <= 33 and min(size) in (20, 27)


def test_a_crop_keeps_some_box_and_cleaning_removes_the_rest(sample: dict[str, Any]) -> None:
    pipeline = v2.Compose([v2.RandomIoUCrop(), v2.SanitizeBoundingBoxes()])
    counts = set()
    for seed in range(12):
        torch.manual_seed(seed)
        made = pipeline(sample)
        count = made["boxes"].shape[0]
        counts.add(count)
        assert 1 <= count <= 3 and made["masks"].shape[0] == made["labels"].shape[0] == count
        assert type(made["masks"]) is Mask and 3 not in made["labels"].tolist()
        for label, mask in zip(made["labels"].tolist(), made["masks"]):
            assert int(mask.sum()) > 0 and label in (0, 1, 2)
    assert len(counts) > 1
    with pytest.raises(TypeError, match=r"RandomIoUCrop\(\) requires an image and one set of bounding boxes"):
        v2.RandomIoUCrop()(sample["image"])


def test_labels_are_found(sample: dict[str, Any]) -> None:
    image, target = sample.pop("image"), sample
    assert v2.SanitizeBoundingBoxes()(image, target)[1]["labels"].tolist() == [0, 1, 2]
    renamed = {"boxes": target["boxes"], "my_label": target["labels"]}
    assert v2.SanitizeBoundingBoxes()(renamed)["my_label"].tolist() == [0, 1, 2]
    assert v2.SanitizeBoundingBoxes(labels_getter="my_label", min_size=10)(renamed)["my_label"].tolist() == [0, 1]
    assert v2.SanitizeBoundingBoxes(labels_getter=None)(renamed)["my_label"].shape == (4,)
    assert v2.SanitizeBoundingBoxes(labels_getter=lambda both: both[1])(target["boxes"], target["labels"])[1].shape == (
        3,
    )
    with pytest.raises(ValueError, match="2 of its keys have 'label' in them"):
        v2.SanitizeBoundingBoxes()({**renamed, "other_label": 1})
    with pytest.raises(ValueError, match="labels do not match"):
        v2.SanitizeBoundingBoxes()({"boxes": target["boxes"], "labels": torch.arange(3)})
    with pytest.raises(ValueError, match="one set of bounding boxes, found 0"):
        v2.SanitizeBoundingBoxes()({"labels": 3})


def test_distorted_colours(sample: dict[str, Any], unit: torch.Tensor) -> None:
    torch.manual_seed(0)
    made = [v2.RandomPhotometricDistort(p=1)(sample) for _ in range(5)]
    assert all(each["boxes"] is sample["boxes"] and each["image"].shape == unit.shape for each in made)
    assert len({each["image"].numpy().tobytes() for each in made}) == 5
    assert torch.equal(F.permute_channels(unit, [2, 0, 1]), unit[[2, 0, 1]])
    with pytest.raises(ValueError, match="permutation"):
        F.permute_channels(unit, [0, 0, 1])


def test_compression(planes: torch.Tensor) -> None:
    coarse, fine = (F.jpeg(planes, quality) for quality in (5, 95))
    apart = [float((each.float() - planes.float()).abs().mean()) for each in (coarse, fine)]
    assert apart[0] > 2 * apart[1] > 0 and coarse.dtype is torch.uint8 and coarse.shape == planes.shape
    pil = F.to_pil_image(planes)
    assert torch.equal(F.pil_to_tensor(v2.JPEG((95, 95))(pil)), fine) and torch.equal(
        F.jpeg(planes[None], 5)[0], coarse
    )
    with pytest.raises(ValueError, match="jpeg takes uint8 tensors of 1 or 3 channels"):
        F.jpeg(planes.float(), 5)
    with pytest.raises(ValueError, match="quality must be an integer from 1 to 100"):
        v2.JPEG((90, 10))


def test_channels_in_any_order(planes: torch.Tensor) -> None:
    torch.manual_seed(0)
    made = {tuple(v2.RandomChannelPermutation()(planes)[:, 6, 10].tolist()) for _ in range(40)}
    assert len(made) == 6


def test_noise(unit: torch.Tensor, planes: torch.Tensor) -> None:
    torch.manual_seed(0)
    half = torch.full((3, 60, 60), 0.5)
    noisy = v2.GaussianNoise(0.1, 0.05)(half)
    assert abs(float(noisy.mean()) - 0.6) < 0.005 and abs(float(noisy.std()) - 0.05) < 0.003
    assert (
        float(v2.GaussianNoise(sigma=3)(unit).max()) == 1
        and float(v2.GaussianNoise(sigma=3, clip=False)(unit).max()) > 1
    )
    with pytest.raises(ValueError, match="expected to be in float dtype"):
        v2.GaussianNoise()(planes)
    with pytest.raises(ValueError, match="sigma shouldn't be negative"):
        v2.GaussianNoise(sigma=-1)


@pytest.mark.parametrize("mix", [v2.MixUp(num_classes=5), v2.CutMix(num_classes=5)], ids=repr)
def test_labels_are_mixed_as_images_are(mix: v2.Transform) -> None:
    classes = torch.tensor([0, 3, 2, 4])
    # Each image shows nothing but its class, so that the label can be read off the mixture.
    images = torch.nn.functional.one_hot(classes, 5)[:, :, None, None].float().expand(4, 5, 8, 10)
    for seed in range(6):
        torch.manual_seed(seed)
        mixed, labels = mix(images, classes)
        assert mixed.shape == images.shape and labels.shape == (4, 5)
        assert torch.allclose(mixed.mean((2, 3)), labels, atol=1e-6) and torch.allclose(labels.sum(1), torch.ones(4))
    torch.manual_seed(5)
    again, same = mix({"images": Image(images), "labels": torch.nn.functional.one_hot(classes, 5)}).values()
    assert type(again) is Image and torch.equal(same, labels) and torch.equal(again, mixed)


def test_mixing_after_the_loader() -> None:
    data = TensorDataset(torch.rand(10, 3, 6, 6), torch.arange(10))
    mix = v2.RandomChoice([v2.MixUp(num_classes=10), v2.CutMix(num_classes=10)])
    for images, labels in DataLoader(data, 5, collate_fn=lambda batch: mix(*torch.utils.data.default_collate(batch))):
        assert images.shape == (5, 3, 6, 6) and labels.shape == (5, 10)
        assert np.allclose(labels.sum(1).numpy(), 1)


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ((torch.rand(3, 4, 4), torch.arange(3)), "takes a batch of images"),
        ((torch.rand(2, 3, 4, 4), torch.arange(3)), "takes a batch of images"),
        ((torch.rand(2, 3, 4, 4), torch.zeros(2, 7)), "7 classes do not fit num_classes = 5"),
        ((torch.rand(2, 3, 4, 4), torch.zeros(2, 7, 1)), r"labels should be a tensor of shape \(batch_size,\)"),
        ((Mask(torch.rand(2, 4, 4)), torch.arange(2)), "does not support PIL images, bounding boxes and masks"),
    ],
)
def test_what_cannot_be_mixed(inputs: tuple, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        v2.MixUp(num_classes=5)(*inputs)
    with pytest.raises(ValueError, match="num_classes must be passed"):
        v2.CutMix()(torch.rand(2, 3, 4, 4), torch.arange(2))
