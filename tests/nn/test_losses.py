"""Losses: values and errors against PyTorch, stability, targets that do not count."""

import numpy as np
import pytest

import flambeau as fb
from flambeau.nn import functional as F

LOSSES = (
    "L1Loss MSELoss SmoothL1Loss HuberLoss NLLLoss CrossEntropyLoss KLDivLoss SoftMarginLoss HingeEmbeddingLoss BCELoss "
    "BCEWithLogitsLoss MultiMarginLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss PoissonNLLLoss GaussianNLLLoss CTCLoss "
    "MarginRankingLoss CosineEmbeddingLoss TripletMarginLoss TripletMarginWithDistanceLoss"
).split()


def rows(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def both(function):
    """``function(library, tensor)`` under flambeau and under PyTorch, results as arrays."""
    torch = pytest.importorskip("torch")
    mine, theirs = function(fb, fb.tensor), function(torch, torch.tensor)
    return [np.asarray(each.detach().numpy()) for each in (mine, theirs)]


@pytest.mark.parametrize("name", LOSSES)
def test_repr_and_state_are_pytorchs(name, agree):
    agree(lambda library: (getattr(library.nn, name)(), list(getattr(library.nn, name)().state_dict())))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(5,), (6, 5), (2, 5, 3), (2, 5, 3, 2)])
@pytest.mark.parametrize("options", [{}, {"weight": True}, {"ignore_index": 1}, {"weight": True, "label_smoothing": 0.2}])
def test_cross_entropy_and_its_gradient(shape, reduction, options):
    axis = 1 if len(shape) > 1 else 0
    target = np.random.default_rng(1).integers(0, 5, shape[:axis] + shape[axis + 1 :])
    if options.get("ignore_index") == 1 and target.ndim == 0:
        target = np.array(2)

    def gradient(library, tensor):
        x = tensor(rows(*shape), requires_grad=True)
        chosen = {**options, "weight": tensor(np.arange(1, 6, dtype=np.float32))} if "weight" in options else options
        loss = library.nn.functional.cross_entropy(x, tensor(target), reduction=reduction, **chosen)
        (loss * loss).sum().backward()
        return x.grad

    mine, theirs = both(gradient)
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_cross_entropy_of_great_scores_is_finite():
    x = fb.tensor([[1e30, 0.0], [0.0, 1e4]], requires_grad=True)
    loss = F.cross_entropy(x, fb.tensor([0, 1]))
    loss.backward()
    assert loss.item() == 0 and x.grad.abs().sum().item() == 0


def test_cross_entropy_is_log_softmax_and_nll():
    x, y = fb.tensor(rows(7, 4)), fb.tensor([0, 1, 2, 3, 0, 1, 2])
    torch_like = F.nll_loss(F.log_softmax(x, 1), y)
    np.testing.assert_allclose(F.cross_entropy(x, y).item(), torch_like.item(), rtol=1e-6)


@pytest.mark.parametrize(
    "scenario",
    [
        lambda t: t.nn.functional.mse_loss(t.zeros(3), t.zeros(3), reduction="most"),
        lambda t: t.nn.functional.binary_cross_entropy(t.full((2,), 0.5), t.zeros(3)),
        lambda t: t.nn.functional.mse_loss(t.ones(2, 3), t.zeros(3)),
        lambda t: t.nn.functional.mse_loss(t.ones(2), t.zeros(2), size_average=False),
        lambda t: t.nn.TripletMarginLoss(margin=0),
        lambda t: t.nn.MultiMarginLoss(p=3),
        lambda t: t.nn.functional.huber_loss(t.ones(2), t.zeros(2), delta=0.0),
    ],
)
def test_errors_and_warnings_are_pytorchs(scenario, agree):
    agree(scenario)


def test_numbers_out_of_range_are_named_when_they_are_seen():
    with pytest.raises(IndexError, match=r"nll_loss: Target 10 is out of bounds\."):
        F.nll_loss(fb.zeros(2, 3), fb.tensor([0, 5]) * 2).item()  # targets that are not known at the call
    with pytest.raises(IndexError, match=r"Target -1 is out of bounds\."):
        F.cross_entropy(fb.zeros(2, 3), fb.tensor([0, 1]) * -1).item()
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        F.binary_cross_entropy(fb.full((2,), 1.5), fb.zeros(2)).item()


def test_target_dtype_is_named():
    with pytest.raises(RuntimeError, match="expected target dtype to be Long or Byte, but got Int"):
        F.cross_entropy(fb.zeros(2, 3), fb.tensor([0, 1], dtype=fb.int32))


def test_names_of_nodes():
    x = fb.zeros(2, 3, requires_grad=True)
    names = [F.mse_loss(x, fb.ones(2, 3)), F.cross_entropy(x, fb.tensor([0, 1])), F.l1_loss(x, fb.ones(2, 3))]
    assert [each.grad_fn.name() for each in names] == ["MseLossBackward0", "NllLossBackward0", "MeanBackward0"]


def test_ctc_loss_sums_over_alignments():
    """With equal probabilities, p = alignments / classes^steps: "a" in two steps can be aa, a- and -a."""
    scores = fb.full((2, 1, 3), 1 / 3).log()
    loss = F.ctc_loss(scores, fb.tensor([[1]]), (2,), (1,), reduction="none")
    np.testing.assert_allclose(np.exp(-loss.item()), 3 / 9, rtol=1e-6)


def test_ctc_loss_of_an_impossible_target_can_be_zero():
    scores = fb.zeros(2, 1, 3, requires_grad=True)
    loss = F.ctc_loss(scores.log_softmax(2), fb.tensor([[1, 1]]), (2,), (2,), zero_infinity=True)
    loss.backward()
    assert loss.item() == 0 and not scores.grad.isnan().any()


def test_adaptive_softmax_is_a_distribution():
    fb.manual_seed(0)
    layer = fb.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], div_value=2.0)
    x, y = fb.tensor(rows(5, 8)), fb.tensor([0, 3, 5, 12, 19])
    logarithms = layer.log_prob(x)
    np.testing.assert_allclose(logarithms.exp().sum(1).detach().numpy(), np.ones(5), rtol=1e-5)
    output, loss = layer(x, y)
    np.testing.assert_allclose(output.detach().numpy(), logarithms.detach().numpy()[range(5), [0, 3, 5, 12, 19]], rtol=1e-5)
    np.testing.assert_allclose(loss.item(), -output.mean().item(), rtol=1e-6)
    assert layer.predict(x).tolist() == logarithms.argmax(1).tolist()


@pytest.mark.parametrize("target", ([0, 10], [-1, 2]))
def test_a_class_out_of_range_is_an_error_at_the_call(target):
    scores = fb.randn(2, 10, requires_grad=True)
    for loss in (F.cross_entropy, F.nll_loss):
        with pytest.raises(IndexError, match=r"Target -?\d+ is out of bounds"):
            loss(scores, fb.tensor(target))
        assert loss(scores, fb.tensor([1, 10]), ignore_index=10).item() == loss(scores[:1], fb.tensor([1])).item()
