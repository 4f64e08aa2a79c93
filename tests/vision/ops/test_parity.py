"""Operators for vision give torchvision's numbers."""

import importlib

import numpy
import pytest

import flambeau

torch = pytest.importorskip("torch")
try:
    theirs = importlib.import_module("torchvision.ops")
except (ImportError, RuntimeError):  # missing, or built for another torch
    pytest.skip("torchvision that works with this torch is needed", allow_module_level=True)

ours = flambeau.vision.ops
pytestmark = pytest.mark.parity


def both(array):
    return torch.from_numpy(array), flambeau.from_numpy(array.copy())


def boxes(count, size=20, seed=0, dtype="float32"):
    corners = numpy.random.default_rng(seed).uniform(0, size, (count, 2, 2))
    corners.sort(axis=1)
    corners[:, 1] += 1
    return corners.reshape(count, 4).astype(dtype)


def agree(expected, found, tolerance=1e-5):
    assert tuple(expected.shape) == tuple(found.shape)
    assert str(expected.dtype).split(".")[1] == str(found.dtype).split(".")[1]
    numpy.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_nms(threshold):
    a, b = both(boxes(200))
    scores, my_scores = both(numpy.random.default_rng(1).uniform(size=200).round(2).astype("float32"))
    agree(theirs.nms(a, scores, threshold), ours.nms(b, my_scores, threshold))
    groups, my_groups = both(numpy.random.default_rng(2).integers(0, 3, 200))
    agree(
        scores[theirs.batched_nms(a, scores, groups, threshold)],
        my_scores[ours.batched_nms(b, my_scores, my_groups, threshold)],
    )
    assert set(theirs.batched_nms(a, scores, groups, threshold).tolist()) == set(
        ours.batched_nms(b, my_scores, my_groups, threshold).tolist()
    )


@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_overlaps(name, dtype):
    (a, mine_a), (b, mine_b) = both(boxes(7, dtype=dtype)), both(boxes(5, seed=1, dtype=dtype))
    agree(getattr(theirs, name)(a, b), getattr(ours, name)(mine_a, mine_b))


@pytest.mark.parametrize("name", ["generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_overlap_losses(name, reduction):
    (a, mine_a), (b, mine_b) = both(boxes(6)), both(boxes(6, seed=1))
    a.requires_grad_()
    mine_a.requires_grad_()
    loss, mine = getattr(theirs, name)(a, b, reduction=reduction), getattr(ours, name)(mine_a, mine_b, reduction=reduction)
    agree(loss, mine)
    loss.sum().backward()
    mine.sum().backward()
    agree(a.grad, mine_a.grad)


@pytest.mark.parametrize("formats", [("xyxy", "xywh", "cxcywh"), ("xywhr", "cxcywhr", "xyxyxyxy")])
def test_formats(formats):
    start = boxes(6) if formats[0] == "xyxy" else numpy.hstack([boxes(6), boxes(6, 90, seed=3)[:, :1]])
    for source in formats:
        a, b = both(start)
        a, b = theirs.box_convert(a, formats[0], source), ours.box_convert(b, formats[0], source)
        for target in formats:
            agree(theirs.box_convert(a, source, target), ours.box_convert(b, source, target), 1e-4)


def test_areas_clipping_and_small_boxes():
    for dtype in ("float32", "int64", "uint8"):
        a, b = both(boxes(9, dtype=dtype))
        for fmt in ("xyxy", "xywh", "cxcywh"):
            agree(theirs.box_area(a, fmt), ours.box_area(b, fmt))
    a, b = both(boxes(9, 40) - 10)
    agree(theirs.clip_boxes_to_image(a, (12, 17)), ours.clip_boxes_to_image(b, (12, 17)))
    agree(theirs.remove_small_boxes(a, 6.0), ours.remove_small_boxes(b, 6.0))
    a, b = both(numpy.random.default_rng(0).uniform(size=(5, 8, 9)) > 0.95)
    a[3], b[3] = False, False
    agree(theirs.masks_to_boxes(a), ours.masks_to_boxes(b))


@pytest.mark.parametrize("alpha, gamma", [(0.25, 2), (-1, 0), (0.6, 1.5)])
def test_focal_loss(alpha, gamma):
    a, b = both(numpy.random.default_rng(0).normal(size=(4, 5)).astype("float32"))
    targets, my_targets = both((numpy.random.default_rng(1).uniform(size=(4, 5)) > 0.5).astype("float32"))
    a.requires_grad_()
    b.requires_grad_()
    loss = theirs.sigmoid_focal_loss(a, targets, alpha, gamma, "mean")
    mine = ours.sigmoid_focal_loss(b, my_targets, alpha, gamma, "mean")
    agree(loss, mine)
    loss.backward()
    mine.backward()
    agree(a.grad, b.grad)


@pytest.mark.parametrize("ratio", [-1, 1, 3])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_roi_align(ratio, aligned, scale):
    image, mine = both(numpy.random.default_rng(0).normal(size=(2, 3, 11, 13)))
    image.requires_grad_()
    mine.requires_grad_()
    rois = numpy.hstack([numpy.array([[0.0], [1], [1], [0], [1]]), boxes(5, 16, dtype="float64") - 2])
    rows, my_rows = both(rois)
    out, found = (
        each.roi_align(picture, where, (3, 2), scale, ratio, aligned)
        for each, picture, where in ((theirs, image, rows), (ours, mine, my_rows))
    )
    agree(out, found)
    (out**2).sum().backward()
    (found**2).sum().backward()
    agree(image.grad, mine.grad)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_roi_pool(scale):
    # Small whole numbers: most bins have several maxima, of which the first gets the gradient.
    image, mine = both(numpy.random.default_rng(0).integers(-3, 3, (2, 3, 11, 13)).astype("float32"))
    image.requires_grad_()
    mine.requires_grad_()
    a, b = both(boxes(4, 16) - 2)
    c, d = both(boxes(2, 9, seed=4) + 6)
    out, found = theirs.roi_pool(image, [a, c], (3, 2), scale), ours.roi_pool(mine, [b, d], (3, 2), scale)
    agree(out, found)
    weights, my_weights = both(numpy.random.default_rng(5).normal(size=out.shape).astype("float32"))
    (out * weights).sum().backward()
    (found * my_weights).sum().backward()
    agree(image.grad, mine.grad)


@pytest.mark.parametrize("mode", ["row", "batch"])
def test_stochastic_depth_draws_the_same(mode):
    x, y = both(numpy.ones((6, 2, 3), "float32"))
    torch.manual_seed(0)
    flambeau.manual_seed(0)
    agree(theirs.StochasticDepth(0.4, mode)(x), ours.StochasticDepth(0.4, mode)(y))


@pytest.mark.parametrize(
    "build",
    [
        lambda o, n: o.Conv2dNormActivation(3, 4, 5, 2, groups=1, dilation=2),
        lambda o, n: o.Conv2dNormActivation(3, 4, (3, 5), norm_layer=None, activation_layer=n.SiLU),
        lambda o, n: o.Conv3dNormActivation(3, 4),
        lambda o, n: o.SqueezeExcitation(4, 2, scale_activation=n.Hardsigmoid),
        lambda o, n: o.MLP(3, [5, 6, 2], norm_layer=n.LayerNorm, activation_layer=n.GELU, dropout=0.1),
        lambda o, n: o.FrozenBatchNorm2d(4),
    ],
)
def test_blocks(build):
    torch.manual_seed(2)
    flambeau.manual_seed(2)
    a, b = build(theirs, torch.nn), build(ours, flambeau.nn)
    assert repr(a) == repr(b)
    mine = b.state_dict()
    assert list(a.state_dict()) == list(mine)
    for name, value in a.state_dict().items():
        agree(value, mine[name], 0)


def test_frozen_batch_norm_takes_a_trained_one():
    trained, my_trained = torch.nn.BatchNorm2d(3), flambeau.nn.BatchNorm2d(3)
    x, y = both(numpy.random.default_rng(0).normal(2, 3, size=(4, 3, 2, 2)).astype("float32"))
    trained(x)
    my_trained(y)
    a, b = theirs.FrozenBatchNorm2d(3), ours.FrozenBatchNorm2d(3)
    a.load_state_dict(trained.state_dict())
    b.load_state_dict(my_trained.state_dict())
    agree(a(x), b(y))
