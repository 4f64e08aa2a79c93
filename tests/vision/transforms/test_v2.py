"""Samples with images, masks and boxes: what is done to one is done to all, by the same lot."""

import warnings
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image as PIL

import flambeau as torch
from flambeau.vision import transforms as T
from flambeau.vision.transforms import v2
from flambeau.vision.transforms.v2 import functional as F
from flambeau.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, Mask

FORMATS = list(BoundingBoxFormat)


def sample(boxes: list[list[float]], height: int = 40, width: int = 50, format: BoundingBoxFormat = FORMATS[0]) -> dict:
    """An image, and a mask, white where the first box (x1, y1, x2, y2) is, and the boxes."""
    white = torch.zeros(1, height, width)
    x1, y1, x2, y2 = (int(each) for each in boxes[0])
    white[:, y1:y2, x1:x2] = 1
    corners = BoundingBoxes(torch.tensor(boxes), format="XYXY", canvas_size=(height, width))
    return {
        "image": Image(white.clone()),
        "mask": Mask(white[0].to(torch.uint8)),
        "boxes": F.convert_bounding_box_format(corners, new_format=format),
        "label": 7,
    }


def around(mask: np.ndarray) -> list[int]:
    """The box (x1, y1, x2, y2) around what is white."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
@pytest.mark.parametrize(
    "transform",
    [
        v2.RandomHorizontalFlip(1), v2.RandomVerticalFlip(1), v2.Pad((3, 1, 2, 5)), v2.CenterCrop(30), v2.CenterCrop((45, 20)),
        v2.RandomCrop((35, 45)), v2.RandomCrop((44, 52), padding=4), v2.RandomCrop(60, pad_if_needed=True),
        v2.Resize((80, 100)), v2.Resize(20), v2.Resize(None, max_size=100), v2.RandomRotation((90, 90), expand=True),
        v2.RandomRotation((180, 180)), v2.RandomAffine((0, 0), (0.1, 0.1)), v2.RandomResizedCrop((40, 50), (0.9, 1.0), (1, 1.3)),
    ],
    ids=repr,
)  # fmt: skip
def test_boxes_stay_around_what_they_were_around(transform: v2.Transform, format: BoundingBoxFormat) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        made = transform(sample([[16.0, 14.0, 28.0, 22.0]], format=format))
        assert type(made["image"]) is Image and type(made["mask"]) is Mask and made["label"] == 7
        assert made["boxes"].format is format and made["boxes"].canvas_size == tuple(made["mask"].shape)
        assert tuple(made["image"].shape[-2:]) == tuple(made["mask"].shape)
        corners = F.convert_bounding_box_format(made["boxes"], new_format="XYXY").tolist()[0]
        assert np.abs(np.array(corners) - around(made["mask"].numpy())).max() <= 1.5
        assert np.abs(np.array(corners) - around(made["image"].numpy()[0] > 0.5)).max() <= 1.5


@pytest.mark.parametrize(
    "transform",
    [
        v2.RandomRotation(25), v2.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 8), v2.RandomPerspective(0.3, 1),
        v2.RandomRotation(40, expand=True), v2.ElasticTransform(15.0, 4.0),
    ],
    ids=repr,
)  # fmt: skip
def test_warped_boxes_hold_what_they_held(transform: v2.Transform) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        made = transform(sample([[16.0, 14.0, 28.0, 22.0]]))
        x1, y1, x2, y2 = made["boxes"].tolist()[0]
        inner = around(made["mask"].numpy())
        assert x1 - 1.5 <= inner[0] and y1 - 1.5 <= inner[1] and inner[2] <= x2 + 1.5 and inner[3] <= y2 + 1.5
        assert set(np.unique(made["mask"].numpy())) <= {0, 1} and made["mask"].dtype is torch.uint8


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=4, max_size=4), st.sampled_from(FORMATS), st.sampled_from(FORMATS))
def test_formats_there_and_back(numbers: list[int], one: BoundingBoxFormat, other: BoundingBoxFormat) -> None:
    x, y, width, height = map(float, numbers)
    boxes = torch.tensor([[x, y, x + width, y + height]])
    there = F.convert_bounding_box_format(F.convert_bounding_box_format(boxes, "XYXY", one), one, other)
    assert torch.equal(F.convert_bounding_box_format(there, other, "XYXY"), boxes)


def test_boxes_outside_are_cut_off_and_sorted_out() -> None:
    boxes = BoundingBoxes([[-5.0, 2, 8, 30], [3, 3, 3.5, 9], [0, 0, 20, 10]], format="XYXY", canvas_size=(10, 20))
    assert F.clamp_bounding_boxes(boxes).tolist() == [[0, 2, 8, 10], [3, 3, 3.5, 9], [0, 0, 20, 10]]
    kept, valid = F.sanitize_bounding_boxes(boxes)
    assert valid.tolist() == [False, False, True] and type(kept) is BoundingBoxes and len(kept) == 1
    free = BoundingBoxes(boxes.as_subclass(torch.Tensor), format="XYXY", canvas_size=(10, 20), clamping_mode=None)
    assert v2.Pad(1)(free).tolist()[0] == [-4, 3, 9, 31] and v2.Pad(1)(boxes).tolist()[0] == [0, 3, 9, 12]
    with pytest.raises(ValueError, match="Padding mode 'edge' is not supported with bounding boxes"):
        v2.Pad(1, padding_mode="edge")(boxes)


Pair = namedtuple("Pair", "first second")


def test_structures_are_kept(unit: torch.Tensor, pil: PIL.Image) -> None:
    flip = v2.RandomHorizontalFlip(1)
    made = flip(OrderedDict(a=[Image(unit), (1, None)], b=Pair("text", Mask(unit[0]))))
    assert type(made) is OrderedDict and type(made["b"]) is Pair and made["a"][1] == (1, None)
    assert torch.equal(made["a"][0], unit.flip(-1)) and torch.equal(made["b"].second, unit[0].flip(-1))
    image, label = flip(pil, 3)
    assert label == 3 and np.array_equal(np.asarray(image), np.asarray(pil)[:, ::-1])
    with pytest.raises(ValueError, match="Found multiple HxW dimensions"):
        v2.RandomCrop(3)(Image(unit), Mask(unit[0, :9]))
    with pytest.raises(TypeError, match="No image"):
        v2.RandomCrop(3)({"a": 1})


def test_of_plain_tensors_the_first_is_the_image(unit: torch.Tensor) -> None:
    flip = v2.RandomHorizontalFlip(1)
    first, second = flip(unit, unit)
    assert torch.equal(first, unit.flip(-1)) and second is unit
    untouched, image = flip(unit, Image(unit))
    assert untouched is unit and torch.equal(image, unit.flip(-1))


def test_colours_leave_masks_and_boxes_alone() -> None:
    given = sample([[16.0, 14.0, 28.0, 22.0]])
    for transform in (
        v2.ColorJitter(0.5), v2.GaussianBlur(3), v2.RandomInvert(1), v2.RandomSolarize(0.5, 1), v2.RandomAutocontrast(1),
        v2.RandomErasing(1), v2.RandomEqualize(1), v2.RandomPosterize(2, 1), v2.RandomAdjustSharpness(2, 1), v2.Grayscale(),
    ):  # fmt: skip
        torch.manual_seed(0)
        made = transform(given)
        assert made["mask"] is given["mask"] and made["boxes"] is given["boxes"] and type(made["image"]) is Image


def test_the_usual_pipeline_gives_what_v1_gives(pil: PIL.Image) -> None:
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
    new = v2.Compose(
        [v2.ToImage(), v2.RandomHorizontalFlip(1), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)]
    )
    old = T.Compose([T.RandomHorizontalFlip(1), T.ToTensor(), T.Normalize(mean, std)])
    assert type(new(pil)) is Image and torch.equal(new(pil), old(pil))
    assert type(v2.ToPureTensor()(new(pil))) is torch.Tensor
    assert v2.ToPILImage()(v2.ToImage()(pil)).tobytes() == pil.tobytes()
    assert v2.RGB()(pil.convert("L")).mode == "RGB" and v2.RGB()(Image(torch.zeros(1, 2, 2))).shape == (3, 2, 2)


def test_dtypes_by_kind() -> None:
    given = sample([[16.0, 14.0, 28.0, 22.0]])
    made = v2.ToDtype({Image: torch.float64, Mask: torch.int64, "others": None})(given)
    assert (made["image"].dtype, made["mask"].dtype) == (torch.float64, torch.int64) and made["boxes"] is given["boxes"]
    assert v2.ToDtype(torch.uint8, scale=True)(given)["mask"] is given["mask"]
    with pytest.raises(ValueError, match="No dtype was specified for type"):
        v2.ToDtype({Image: torch.float64})(given)
    with pytest.warns(UserWarning, match="scale was set to True but no dtype"):
        v2.ToDtype({"others": None}, scale=True)(given)
    with pytest.raises(ValueError, match=r"dtype must be a dict or a torch.dtype"):
        v2.ToDtype("float")


@pytest.mark.parametrize(
    "transform", [v2.AutoAugment(), v2.RandAugment(), v2.TrivialAugmentWide(fill={"others": 0})], ids=repr
)
def test_automatic_augmentation(
    transform: v2.Transform, pil: PIL.Image, planes: torch.Tensor, unit: torch.Tensor
) -> None:
    torch.manual_seed(0)
    for image in (pil, planes, unit, Image(planes)):
        made = [transform(image, 3) for _ in range(10)]
        assert all(label == 3 and type(each) is type(image) for each, label in made)
        assert len({np.asarray(each).tobytes() for each, _ in made}) > 3
    with pytest.raises(TypeError, match="not supported by"):
        transform(sample([[1.0, 1, 5, 5]]))
    with pytest.raises(ValueError, match="for a single image or video, but found 2"):
        transform(pil, pil)
    with pytest.raises(TypeError, match="Found no image in the sample"):
        transform({"a": 1})


def test_one_of_several_and_all_in_any_order() -> None:
    torch.manual_seed(0)
    choice = v2.RandomChoice([lambda x: 0, lambda x: 1], [1, 3])
    assert 60 < sum(choice(None) for _ in range(100)) < 90
    order = v2.RandomOrder([lambda x: x + "a", lambda x: x + "b"])
    assert {order("") for _ in range(20)} == {"ab", "ba"}
    assert {v2.RandomApply([lambda x: 1], 0.5)(0) for _ in range(20)} == {0, 1}
    with pytest.raises(ValueError, match="Pass at least one transform"):
        v2.Compose([])
    with pytest.raises(ValueError, match="Length of p doesn't match"):
        v2.RandomChoice([abs], [1, 2])
    with pytest.raises(ValueError, match="in the interval"):
        v2.RandomHorizontalFlip(2)


def test_a_transform_and_a_kind_of_ones_own(unit: torch.Tensor) -> None:
    class Doubled(v2.Transform):
        def make_params(self, flat_inputs: list) -> dict:
            return {"count": len(flat_inputs)}

        def transform(self, inpt: object, params: dict) -> object:
            return inpt * (2 * params["count"])

    image, mask = Doubled()(Image(unit), Mask(unit[0]))
    assert torch.equal(image, unit * 4) and torch.equal(mask, unit[0] * 4)
    assert v2.Lambda(lambda x: x + 1, int)((1, "a")) == (2, "a")

    class Points(torch.Tensor):
        """Columns of points."""

    @F.register_kernel(F.horizontal_flip, Points)
    def flip_points(points: torch.Tensor) -> torch.Tensor:
        return -points

    points = torch.ones(2).as_subclass(Points)
    assert F.horizontal_flip(points).tolist() == [-1, -1]
    with pytest.raises(ValueError, match="Kernels can only be registered on functionals"):
        F.register_kernel(abs, Points)


def test_what_functions_do_not_support() -> None:
    with pytest.raises(
        TypeError, match=r"Functional F.adjust_hue supports .* but got <class 'flambeau.*BoundingBoxes'>"
    ):
        F.adjust_hue(BoundingBoxes([0, 0, 1, 1], format="XYXY", canvas_size=(2, 2)), 0.1)
    with pytest.raises(TypeError, match=r"Functional F.crop supports"):
        F.crop("image", 0, 0, 1, 1)
    with pytest.raises(TypeError, match="are not supported by FiveCrop"):
        v2.FiveCrop(2)(sample([[1.0, 1, 5, 5]]))
    with pytest.raises(TypeError, match="does not support PIL images"):
        v2.Normalize([0.5], [0.5])(PIL.new("RGB", (2, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert v2.Resize(3)(PIL.new("RGB", (6, 6))).size == (3, 3)
