"""Operators for vision, without torchvision."""

import pytest

import flambeau as torch

ops = torch.vision.ops


def test_nms_keeps_the_best_and_whoever_overlaps_it_little():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 4], [30, 30, 40, 40]])
    scores = torch.tensor([0.1, 0.9, 0.5, 0.3])
    assert ops.nms(boxes, scores, 0.5).tolist() == [1, 2, 3]
    assert ops.nms(boxes, scores, 0.95).tolist() == [1, 2, 3, 0]
    assert ops.nms(boxes[:0], scores[:0], 0.5).tolist() == []
    assert ops.nms(boxes, scores, 0.5).dtype == torch.int64


@pytest.mark.parametrize(
    "boxes, scores, message",
    [
        ((3, 4), (2,), "same number of elements in dimension 0, got 3 and 2"),
        ((3, 3), (3,), "4 elements in dimension 1, got 3"),
        ((4,), (3,), "2d tensor, got 1D"),
        ((3, 4), (3, 1), "1d tensor, got 2D"),
    ],
)
def test_nms_refuses_other_shapes(boxes, scores, message):
    with pytest.raises(RuntimeError, match=message):
        ops.nms(torch.zeros(boxes), torch.zeros(scores), 0.5)


def test_batched_nms_lets_categories_alone():
    boxes = torch.tensor([[0.0, 0, 10, 10]] * 3)
    scores = torch.tensor([0.1, 0.9, 0.5])
    assert ops.batched_nms(boxes, scores, torch.tensor([7, 7, 8]), 0.5).tolist() == [1, 2]
    assert ops.batched_nms(boxes[:0], scores[:0], torch.tensor([]), 0.5).tolist() == []


def test_formats_go_there_and_back():
    boxes = torch.tensor([[1.0, 2, 4, 8]])
    for fmt in ("xywh", "cxcywh"):
        assert torch.equal(ops.box_convert(ops.box_convert(boxes, "xyxy", fmt), fmt, "xyxy"), boxes)
    with pytest.raises(ValueError, match="in_fmt xyxy and out_fmt polar"):
        ops.box_convert(boxes, "xyxy", "polar")
    with pytest.raises(ValueError, match="4 numbers each"):
        ops.box_convert(boxes[:, :3], "xyxy", "xywh")


def test_roi_align_of_a_ramp_is_its_value_in_the_middle_of_each_bin():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    found = ops.roi_align(ramp, [torch.tensor([[1.0, 1, 5, 5]])], (1, 2), sampling_ratio=2, aligned=True)
    torch.testing.assert_close(found, torch.tensor([[[[1.5, 3.5]]]]))


def test_regions_refuse_what_does_not_fit():
    image = torch.ones(1, 2, 4, 4)
    box = torch.tensor([[0.0, 0, 1, 1]])
    for operator in (ops.roi_align, ops.roi_pool):
        with pytest.raises(AssertionError, match=r"Tensor\[K, 5\]"):
            operator(image, box, 2)
        with pytest.raises(AssertionError, match=r"List\[Tensor\[L, 4\]\]"):
            operator(image, [box[:, :3]], 2)
        with pytest.raises(RuntimeError, match="same type"):
            operator(image.double(), [box], 2)
        with pytest.raises(IndexError, match="images beyond the 1"):
            operator(image, torch.tensor([[3.0, 0, 0, 1, 1]]), 2)
        assert operator(image, torch.zeros(0, 5), 2).shape == (0, 2, 2, 2)


def test_stochastic_depth_keeps_the_mean_and_refuses_nonsense():
    torch.manual_seed(0)
    rows = ops.stochastic_depth(torch.ones(4000, 3), 0.25, "row")
    assert abs(rows.mean().item() - 1) < 0.05
    assert torch.equal(rows[:, :1].expand(-1, 3), rows)
    layer = ops.StochasticDepth(0.5, "row").eval()
    assert torch.equal(layer(rows), rows)
    with pytest.raises(ValueError, match="between 0 and 1, but got 2"):
        ops.stochastic_depth(rows, 2, "row")
    with pytest.raises(ValueError, match="'batch' or 'row', but got column"):
        ops.stochastic_depth(rows, 0.5, "column")


def test_losses_refuse_other_reductions():
    with pytest.raises(ValueError, match="Supported reduction modes"):
        ops.sigmoid_focal_loss(torch.zeros(2), torch.ones(2), reduction="median")
    with pytest.raises(ValueError, match="alpha must be in the range"):
        ops.sigmoid_focal_loss(torch.zeros(2), torch.ones(2), alpha=2.0)
