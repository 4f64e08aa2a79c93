"""Random transforms: the same lots as the tensor expressions draw, and distributions that are what they should be."""

import pickle
import random

import numpy as np
import pytest
from PIL import Image

import flambeau as torch
from flambeau.vision import transforms as T
from flambeau.vision.transforms import drawing_lots, functional as F


def test_lots_are_those_of_the_tensor_expressions() -> None:
    for seed in range(50):
        torch.manual_seed(seed)
        drawn = [
            drawing_lots.fraction(), drawing_lots.uniform(-0.3, 2.7), drawing_lots.integer(-3, 40),
            drawing_lots.integer(0, 1 << 40), drawing_lots.shuffled(5), drawing_lots.choose([0.1, 0.7, 0.2]),
            drawing_lots.fractions(2),
        ]  # fmt: skip
        torch.manual_seed(seed)
        assert drawn == [
            torch.rand(1).item(), torch.empty(1).uniform_(-0.3, 2.7).item(), torch.randint(-3, 40, (1,)).item(),
            torch.randint(0, 1 << 40, (1,)).item(), torch.randperm(5).tolist(),
            torch.multinomial(torch.tensor([0.1, 0.7, 0.2]), 1).item(), torch.rand(2).tolist(),
        ]  # fmt: skip
    with pytest.raises(RuntimeError, match="expects 'from' to be less than 'to'"):
        drawing_lots.integer(3, 3)


def test_a_crop_is_where_randint_says(planes: torch.Tensor) -> None:
    torch.manual_seed(3)
    made = T.RandomCrop((20, 30))(planes)
    torch.manual_seed(3)
    top, left = torch.randint(0, 18, (1,)).item(), torch.randint(0, 16, (1,)).item()
    assert torch.equal(made, planes[:, top : top + 20, left : left + 30])


def test_crops_reach_every_place_equally_often() -> None:
    torch.manual_seed(0)
    image = torch.arange(25).reshape(1, 5, 5)
    found = np.bincount([T.RandomCrop(3)(image)[0, 0, 0].item() for _ in range(900)], minlength=25)
    assert (found.reshape(5, 5)[:3, :3] > 60).all() and found.reshape(5, 5)[:3, :3].sum() == 900


def test_a_crop_must_fit(planes: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"Required crop size \(50, 50\) is larger than input image size \(37, 45\)"):
        T.RandomCrop(50)(planes)
    assert T.RandomCrop(50, pad_if_needed=True)(planes).shape == (3, 50, 50)
    assert T.RandomCrop(39, padding=1)(planes).shape == (3, 39, 39)


@pytest.mark.parametrize("kind", [T.RandomHorizontalFlip, T.RandomVerticalFlip, T.RandomInvert, T.RandomGrayscale])
def test_probabilities(kind: type, unit: torch.Tensor) -> None:
    torch.manual_seed(0)
    assert kind(p=0)(unit) is unit and kind(p=1)(unit) is not unit
    changed = sum(kind(p=0.3)(unit) is not unit for _ in range(400))
    assert 85 < changed < 155


def test_areas_and_proportions_of_crops() -> None:
    torch.manual_seed(0)
    image = torch.zeros(3, 100, 120)
    for _ in range(200):
        top, left, height, width = T.RandomResizedCrop.get_params(image, (0.1, 0.5), (0.5, 2.0))
        assert 0 <= top <= 100 - height and 0 <= left <= 120 - width
        assert 0.09 < height * width / 12_000 < 0.52 and 0.47 < width / height < 2.1
    assert T.RandomResizedCrop.get_params(image, (2.0, 2.0), (1.0, 1.0)) == (0, 10, 100, 100)
    assert T.RandomResizedCrop.get_params(image, (2.0, 2.0), (3.0, 4.0)) == (30, 0, 40, 120)


def test_erasing(unit: torch.Tensor) -> None:
    torch.manual_seed(0)
    for _ in range(50):
        top, left, height, width, value = T.RandomErasing.get_params(unit, (0.1, 0.3), (0.5, 2.0), [0.5])
        assert 0 <= top <= 37 - height and 0 <= left <= 45 - width and value.item() == 0.5
    noisy = T.RandomErasing(1, value="random")(unit)
    assert float(noisy.max()) > 1 and not torch.equal(noisy, unit)
    assert T.RandomErasing(1, scale=(1.0, 1.0), ratio=(9, 9))(unit).equal(unit)
    for arguments, told in (
        ({"value": "x"}, "If value is str, it should be 'random'"), ({"p": 2}, "probability should be between 0 and 1"),
        ({"scale": (-1, 0)}, "Scale should be between 0 and 1"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=told):
            T.RandomErasing(**arguments)
    with pytest.raises(ValueError, match="either a single value or 3"):
        T.RandomErasing(1, value=(1, 2))(unit)


def test_jitter_stays_within_its_ranges() -> None:
    torch.manual_seed(0)
    jitter = T.ColorJitter(0.4, (0.5, 0.6), 0, 0.1)
    orders = set()
    for _ in range(100):
        order, *factors = jitter.get_params(jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)
        orders.add(tuple(order.tolist()))
        assert (
            0.6 <= factors[0] <= 1.4 and 0.5 <= factors[1] <= 0.6 and factors[2] is None and -0.1 <= factors[3] <= 0.1
        )
    assert len(orders) > 20
    for arguments, told in (((-1,), "must be non negative"), ((0, 0, 0, 0.6), "hue values should be between")):
        with pytest.raises(ValueError, match=told):
            T.ColorJitter(*arguments)
    with pytest.raises(TypeError, match="brightness should be a single number or a list/tuple with length 2"):
        T.ColorJitter("x")


@pytest.mark.parametrize("form", ["pil", "planes", "unit"])
@pytest.mark.parametrize(
    "transform",
    [
        T.RandomRotation(30), T.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 10), T.RandomPerspective(0.5, 1), T.GaussianBlur(3),
        T.ElasticTransform(), T.ColorJitter(0.3, 0.3, 0.3, 0.2), T.RandomAdjustSharpness(2, 1), T.RandomAutocontrast(1),
        T.RandomResizedCrop((37, 45)),
    ],
    ids=lambda transform: type(transform).__name__,
)  # fmt: skip
def test_the_same_seed_gives_the_same_image(transform: object, form: str, request: pytest.FixtureRequest) -> None:
    image = request.getfixturevalue(form)
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        again = transform(image)
        assert type(again) is type(image) and F.get_dimensions(again) == [3, 37, 45]
        made.append(np.asarray(again).astype(float))
    one_level = 1e-4 if form == "unit" else 1.0  # a program's first run and its later ones may round differently
    assert np.abs(made[0] - made[1]).max() <= one_level
    if not isinstance(transform, T.RandomAutocontrast | T.RandomAdjustSharpness):
        assert np.abs(made[0] - made[2]).max() > one_level


@pytest.mark.parametrize("form", ["pil", "planes"])
@pytest.mark.parametrize(
    "transform",
    [
        T.AutoAugment(), T.AutoAugment(T.AutoAugmentPolicy.CIFAR10), T.AutoAugment(T.AutoAugmentPolicy.SVHN, fill=[3.0]),
        T.RandAugment(), T.RandAugment(3, 30), T.TrivialAugmentWide(), T.AugMix(),
    ],
    ids=repr,
)  # fmt: skip
def test_automatic_augmentation(transform: object, form: str, request: pytest.FixtureRequest) -> None:
    image = request.getfixturevalue(form)
    torch.manual_seed(0)
    made = [transform(image) for _ in range(12)]
    assert all(type(each) is type(image) and F.get_dimensions(each) == [3, 37, 45] for each in made)
    assert len({np.asarray(each).tobytes() for each in made}) > 4


def test_choices_and_orders_are_pythons(unit: torch.Tensor) -> None:
    choice = T.RandomChoice([lambda x: 0, lambda x: 1], [0.2, 0.8])
    random.seed(0)
    drawn = [choice(None) for _ in range(20)]
    random.seed(0)
    assert drawn == [random.choices((0, 1), [0.2, 0.8])[0] for _ in range(20)]
    random.seed(1)
    ordered = T.RandomOrder([lambda x: x + "a", lambda x: x + "b", lambda x: x + "c"])("")
    random.seed(1)
    order = [0, 1, 2]
    random.shuffle(order)
    assert ordered == "".join("abc"[place] for place in order)
    torch.manual_seed(0)
    assert {T.RandomApply([lambda x: 1], 0.5)(0) for _ in range(20)} == {0, 1}


def test_transforms_travel_to_workers(pil: Image.Image) -> None:
    pipeline = T.Compose([T.RandomCrop(20), T.ColorJitter(0.1), T.ToTensor(), T.Normalize([0.5], [0.5])])
    twin = pickle.loads(pickle.dumps(pipeline))
    made = []
    for each in (pipeline, twin):
        torch.manual_seed(4)
        made.append(each(pil))
    assert torch.equal(*made) and repr(twin) == repr(pipeline)


def test_what_transforms_refuse() -> None:
    for make, kind, told in (
        (lambda: T.Lambda(3), TypeError, "lambd should be callable, got 'int'"),
        (lambda: T.Resize("x" * 3), ValueError, "it should have 1 or 2 values"),
        (lambda: T.Resize(2.5), TypeError, "Size should be int or sequence"),
        (lambda: T.CenterCrop((1, 2, 3)), ValueError, "only two dimensions"),
        (lambda: T.RandomRotation(-3), ValueError, "If degrees is a single number, it must be positive"),
        (lambda: T.RandomRotation((1, 2, 3)), ValueError, "degrees should be a sequence of length 2"),
        (lambda: T.RandomAffine(1, (2, 0)), ValueError, "translation values should be between 0 and 1"),
        (lambda: T.RandomAffine(1, scale=(0, 1)), ValueError, "scale values should be positive"),
        (lambda: T.GaussianBlur(4), ValueError, "odd and positive"),
        (lambda: T.GaussianBlur(3, -1), ValueError, "must be positive"),
        (lambda: T.RandomChoice(3), TypeError, "transforms should be a sequence"),
        (lambda: T.Pad("x"), TypeError, "inappropriate padding arg"),
        (lambda: T.AutoAugment("x"), ValueError, "The provided policy x is not recognized"),
        (lambda: T.AugMix(11), ValueError, r"The severity must be between \[1, 10\]"),
    ):
        with pytest.raises(kind, match=told):
            make()
