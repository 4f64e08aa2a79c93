"""Grids and drawings, without torchvision."""

import pytest

import flambeau as torch

pytest.importorskip("PIL")
utils = torch.vision.utils


def test_a_grid_holds_every_image_with_padding_between():
    images = torch.arange(1.0, 6).reshape(5, 1, 1, 1).expand(5, 3, 2, 2)
    grid = utils.make_grid(images, nrow=3, padding=1, pad_value=-1)
    assert grid.shape == (3, 7, 10)
    assert grid[0, 1].tolist() == [-1, 1, 1, -1, 2, 2, -1, 3, 3, -1]
    assert grid[2, 5].tolist() == [-1, 4, 4, -1, 5, 5, -1, -1, -1, -1]


def test_a_grid_of_one_image_is_a_copy():
    image = torch.zeros(3, 2, 2)
    utils.make_grid(image).fill_(1)
    assert image.sum() == 0


@pytest.mark.parametrize(
    "arguments, error",
    [((1,), TypeError), (([1],), TypeError), ((torch.zeros(0, 3, 2, 2),), ValueError), ((torch.zeros(2),), ValueError)],
)
def test_grids_refuse_what_is_no_image(arguments, error):
    with pytest.raises(error):
        utils.make_grid(*arguments)


IMAGE = torch.zeros(3, 8, 8, dtype=torch.uint8)
BOX = torch.tensor([[1, 1, 5, 5]])


@pytest.mark.parametrize(
    "image, boxes, options, error, message",
    [
        ([1], BOX, {}, TypeError, "Tensor expected"),
        (IMAGE.int(), BOX, {}, ValueError, "uint8 or float"),
        (IMAGE[None], BOX, {}, ValueError, "individual images"),
        (IMAGE[:2], BOX, {}, ValueError, "grayscale and RGB"),
        (IMAGE, BOX.flip(1), {}, ValueError, "xmin, ymin, xmax, ymax"),
        (IMAGE, BOX[:, :3], {}, ValueError, r"\(N, 4\) or \(N, 8\)"),
        (IMAGE, BOX, {"labels": ["a", "b"]}, ValueError, "labels for each box"),
        (IMAGE, BOX, {"colors": []}, ValueError, "equal or larger"),
        (IMAGE, BOX, {"colors": 3}, ValueError, "tuple or a string"),
    ],
)
def test_boxes_refuse_what_does_not_fit(image, boxes, options, error, message):
    with pytest.raises(error, match=message):
        utils.draw_bounding_boxes(image, boxes, **options)


def test_nothing_to_draw_warns_and_returns_the_image():
    with pytest.warns(UserWarning, match="No box was drawn"):
        assert utils.draw_bounding_boxes(IMAGE, BOX[:0]) is IMAGE
    with pytest.warns(UserWarning, match="No mask was drawn"):
        assert utils.draw_segmentation_masks(IMAGE, torch.zeros(0, 8, 8, dtype=torch.bool)) is IMAGE


def test_drawing_leaves_the_image_alone():
    drawn = utils.draw_bounding_boxes(IMAGE, BOX, colors="red", fill=True)
    assert drawn[0, 1, 1] == 255 and 0 < drawn[0, 3, 3] < 255 and drawn[0, 7, 7] == 0
    assert IMAGE.sum() == 0


def test_masks_and_keypoints_refuse_what_does_not_fit():
    mask = torch.zeros(8, 8, dtype=torch.bool)
    for masks, message in ((mask.int(), "dtype bool"), (mask[:4], "same height"), (mask[None, None], "batch_size")):
        with pytest.raises(ValueError, match=message):
            utils.draw_segmentation_masks(IMAGE, masks)
    points = torch.zeros(1, 2, 2)
    with pytest.raises(ValueError, match="num_instances, K, 2"):
        utils.draw_keypoints(IMAGE, points[0])
    with pytest.raises(ValueError, match="same dimensionality"):
        utils.draw_keypoints(IMAGE, points, visibility=torch.ones(1, 1))


def test_flow_refuses_other_dtypes_and_shapes():
    with pytest.raises(ValueError, match=r"dtype torch.float, got"):
        utils.flow_to_image(torch.zeros(2, 3, 3).int())
    with pytest.raises(ValueError, match=r"shape \(2, H, W\)"):
        utils.flow_to_image(torch.zeros(3, 3, 3))
    assert (utils.flow_to_image(torch.zeros(2, 3, 3)) == 255).all()
