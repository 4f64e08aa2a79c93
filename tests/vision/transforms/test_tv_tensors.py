"""Tensors that say what they show."""

import copy
import pickle

import numpy as np
import pytest
from PIL import Image as PIL

import flambeau as torch
from flambeau.vision import tv_tensors
from flambeau.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, Mask, Video, wrap


@pytest.fixture
def boxes() -> BoundingBoxes:
    return BoundingBoxes([[1, 2, 3, 4]], format="xyxy", canvas_size=(10, 12))


def test_from_all_kinds_of_data() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert Image(PIL.fromarray(pixels)).shape == (3, 2, 4)
    assert Image([[1, 2]]).shape == (1, 1, 2) and Mask(PIL.fromarray(pixels[..., 0])).shape == (1, 2, 4)
    assert Image(pixels, dtype=torch.float32).dtype is torch.float32
    assert Video(torch.zeros(5, 3, 2, 2)).shape == (5, 3, 2, 2)
    assert BoundingBoxes([1.0, 2, 3, 4], format=BoundingBoxFormat.XYWH, canvas_size=(5, 5)).shape == (1, 4)
    for make, told in (
        (lambda: Image(torch.zeros(3)), "Tensor must be 2D or higher, got 1D tensor"),
        (lambda: Video(torch.zeros(3, 2, 2)), r"got shape \(3, 2, 2\)"),
        (
            lambda: BoundingBoxes(torch.zeros(1, 1, 4), format="XYXY", canvas_size=(1, 1)),
            "Expected a 1D or 2D tensor, got 3D",
        ),
    ):
        with pytest.raises(ValueError, match=told):
            make()


def test_copies_stay_what_they_were_and_operators_give_plain_tensors(boxes: BoundingBoxes) -> None:
    image = Image(torch.zeros(1, 2, 2))
    for made in (
        image.clone(),
        image.to(torch.float64),
        image.detach(),
        image.requires_grad_(False),
        copy.deepcopy(image),
    ):
        assert type(made) is Image
    for plain in (image + 1, image[0], torch.stack([image, image]), image.reshape(-1), boxes[0], boxes * 2):
        assert type(plain) is torch.Tensor
    for made in (boxes.clone(), boxes.to(torch.float32), copy.deepcopy(boxes), wrap(torch.zeros(2, 4), like=boxes)):
        assert type(made) is BoundingBoxes and made.format is BoundingBoxFormat.XYXY and made.canvas_size == (10, 12)
    assert wrap(torch.zeros(2, 4), like=boxes, canvas_size=(1, 1)).canvas_size == (1, 1)
    assert not hasattr(boxes.as_subclass(torch.Tensor), "format")


def test_memory_is_shared_with_what_was_given_and_gradients_flow() -> None:
    source = torch.zeros(1, 2, 2)
    Image(source).add_(1)
    assert float(source.sum()) == 4
    weights = torch.ones(1, 2, 2, requires_grad=True)
    (Image(weights) * 3).sum().backward()
    assert weights.grad.flatten().tolist() == [3.0] * 4
    assert Image(torch.zeros(1, 1, 1), requires_grad=True).requires_grad


def test_they_travel(boxes: BoundingBoxes) -> None:
    there = pickle.loads(pickle.dumps(boxes))
    assert type(there) is BoundingBoxes and there.canvas_size == (10, 12) and there.tolist() == boxes.tolist()


def test_printed(boxes: BoundingBoxes) -> None:
    assert repr(Image([[1, 2]])) == "Image([[[1, 2]]], )"
    assert repr(Mask(torch.zeros(1, 1, dtype=torch.bool))) == "Mask([[False]])"
    assert repr(boxes) == (
        "BoundingBoxes([[1, 2, 3, 4]], format=BoundingBoxFormat.XYXY, canvas_size=(10, 12), clamping_mode=soft)"
    )
    assert set(tv_tensors.__all__) >= {"Image", "Mask", "BoundingBoxes", "wrap"}
