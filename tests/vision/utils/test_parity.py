"""Grids and drawings are torchvision's, pixel for pixel."""

import importlib
import io

import numpy
import pytest

import flambeau

torch = pytest.importorskip("torch")
pytest.importorskip("PIL")
try:
    theirs = importlib.import_module("torchvision.utils")
except (ImportError, RuntimeError):  # missing, or built for another torch
    pytest.skip("torchvision that works with this torch is needed", allow_module_level=True)

ours = flambeau.vision.utils
pytestmark = pytest.mark.parity


def both(array):
    return torch.from_numpy(array), flambeau.from_numpy(array.copy())


def agree(expected, found):
    assert tuple(expected.shape) == tuple(found.shape)
    assert str(expected.dtype).split(".")[1] == str(found.dtype).split(".")[1]
    numpy.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6, atol=1e-6)


def images(*shape, dtype="uint8", seed=0):
    values = numpy.random.default_rng(seed).integers(0, 256, shape)
    return both(values.astype(dtype) if dtype == "uint8" else (values / 255).astype(dtype))


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (1, 4, 5), (1, 3, 4, 5), (1, 1, 4, 5), (10, 1, 4, 5), (3, 2, 4, 5)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_grids(shape, dtype):
    a, b = images(*shape, dtype=dtype)
    agree(theirs.make_grid(a), ours.make_grid(b))
    agree(theirs.make_grid(a, 3, 1, pad_value=1), ours.make_grid(b, 3, 1, pad_value=1))


@pytest.mark.parametrize("options", [{}, {"scale_each": True}, {"value_range": (-1, 2)}])
def test_normalized_grids(options):
    a, b = both(numpy.random.default_rng(0).normal(0, 3, (5, 3, 4, 6)).astype("float32"))
    before = b.clone()
    agree(theirs.make_grid(a, normalize=True, **options), ours.make_grid(b, normalize=True, **options))
    assert flambeau.equal(b, before)
    agree(theirs.make_grid(list(a), normalize=True, **options), ours.make_grid(list(b), normalize=True, **options))


def test_saved_images():
    a, b = images(5, 3, 8, 9, dtype="float32")
    one, other = io.BytesIO(), io.BytesIO()
    theirs.save_image(a, one, "png", nrow=2)
    ours.save_image(b, other, "png", nrow=2)
    assert one.getvalue() == other.getvalue()


BOXES = numpy.array([[2, 3, 30, 20], [5.5, 1, 12, 44], [20, 20, 49, 39]], "float32")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"colors": "red", "width": 3},
        {"colors": ["red", (1, 200, 3), "#00FF00"], "fill": True},
        {"labels": ["one", "two", "three"], "width": 2},
        {"labels": ["one", None, "three"], "label_colors": ["red", "blue", "white"]},
        {"labels": ["one", "two", "gg"], "fill_labels": True, "label_background_colors": "white", "colors": "blue"},
    ],
)
@pytest.mark.parametrize("channels, dtype", [(3, "uint8"), (1, "uint8"), (3, "float32")])
def test_boxes(options, channels, dtype):
    a, b = images(channels, 40, 50, dtype=dtype)
    boxes, mine = both(BOXES)
    agree(theirs.draw_bounding_boxes(a, boxes, **options), ours.draw_bounding_boxes(b, mine, **options))


def test_rotated_boxes():
    a, b = images(3, 40, 50)
    boxes, mine = both(numpy.array([[10.0, 5, 30, 12, 26, 30, 6, 22]]))
    for options in ({}, {"colors": "red", "fill": True, "width": 2}):
        agree(theirs.draw_bounding_boxes(a, boxes, **options), ours.draw_bounding_boxes(b, mine, **options))


@pytest.mark.parametrize("options", [{}, {"alpha": 0.3, "colors": "blue"}, {"colors": [(1, 2, 200), "red"]}])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_masks(options, dtype):
    a, b = images(3, 8, 9, dtype=dtype)
    masks, mine = both(numpy.random.default_rng(1).uniform(size=(2, 8, 9)) > 0.6)
    agree(theirs.draw_segmentation_masks(a, masks, **options), ours.draw_segmentation_masks(b, mine, **options))
    agree(theirs.draw_segmentation_masks(a, masks[1]), ours.draw_segmentation_masks(b, mine[1]))


@pytest.mark.parametrize("options", [{"colors": "red"}, {"colors": (0, 200, 1), "connectivity": [(0, 1), (1, 2)], "radius": 4}])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_keypoints(options, dtype):
    a, b = images(3, 30, 30, dtype=dtype)
    points, mine = both(numpy.array([[[3.0, 4], [20, 9], [11, 25]], [[1, 1], [15, 16], [29, 29]]]))
    agree(theirs.draw_keypoints(a, points, **options), ours.draw_keypoints(b, mine, **options))
    seen, my_seen = both(numpy.array([[True, False, True], [True, True, False]]))
    agree(
        theirs.draw_keypoints(a, points, visibility=seen, **options),
        ours.draw_keypoints(b, mine, visibility=my_seen, **options),
    )


@pytest.mark.parametrize("shape", [(2, 16, 17), (3, 2, 8, 9)])
def test_flow(shape):
    a, b = both(numpy.random.default_rng(0).normal(size=shape).astype("float32"))
    expected, found = theirs.flow_to_image(a), ours.flow_to_image(b)
    # The arc tangent may differ in its last bit, which flooring can make a whole level.
    assert numpy.abs(expected.numpy().astype(int) - found.numpy().astype(int)).max() <= 1
    assert (expected.numpy() == found.numpy()).mean() > 0.99
