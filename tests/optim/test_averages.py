"""Averaged models follow PyTorch's."""

import numpy as np
import pytest

import flambeau
from flambeau import optim

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity


class Affine:
    """The same small model in both libraries: a weight, a buffer and a counter."""

    def __new__(cls, library):
        class Model(library.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = library.nn.Parameter(library.ones(3))
                self.register_buffer("seen", library.zeros(2))
                self.register_buffer("count", library.tensor(0))

            def forward(self, x):
                return x * self.weight

        return Model()


AVERAGES = {
    "equal": lambda swa: {},
    "ema": lambda swa: {"avg_fn": swa.get_ema_avg_fn(0.9)},
    "ema-many": lambda swa: {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9)},
    "equal-one": lambda swa: {"avg_fn": swa.get_swa_avg_fn()},
    "equal-many": lambda swa: {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
}


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("name", AVERAGES)
def test_averages(name, use_buffers):
    if name == "equal-many" and use_buffers:
        pytest.skip("PyTorch's own fails on the integer buffer")
    results = []
    for library in (torch, flambeau):
        model = Affine(library)
        averaged = library.optim.swa_utils.AveragedModel(
            model, use_buffers=use_buffers, **AVERAGES[name](library.optim.swa_utils)
        )
        for step in range(4):
            with library.no_grad():
                model.weight.add_(step + 1)
                model.seen.add_(0.5)
                if not use_buffers:
                    model.count.add_(1)
            averaged.update_parameters(model)
        results.append({key: value.numpy() for key, value in averaged.state_dict().items()})
        assert averaged(library.ones(3)).shape == (3,)
        assert averaged.n_averaged.item() == 4
    assert list(results[1]) == list(results[0])
    for key, value in results[0].items():
        np.testing.assert_allclose(results[1][key], value, rtol=1e-6, err_msg=key)
        assert results[1][key].dtype == value.dtype


@pytest.mark.parametrize("decay", [-0.1, 1.1])
def test_decays_out_of_range(decay):
    for make in (optim.swa_utils.get_ema_avg_fn, optim.swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"Please provide a value in \[0,1\] range"):
            make(decay)


def test_only_one_way_of_averaging():
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        optim.swa_utils.AveragedModel(Affine(flambeau), avg_fn=print, multi_avg_fn=print)


def test_update_bn_recomputes_the_statistics():
    if not hasattr(flambeau.nn.functional, "batch_norm"):
        pytest.skip("batch normalisation is not there yet")
    batches = [np.random.default_rng(seed).standard_normal((5, 3)).astype("float32") * (seed + 1) for seed in range(3)]
    results = []
    for library in (torch, flambeau):
        model = library.nn.Sequential(library.nn.BatchNorm1d(3, momentum=0.3), library.nn.ReLU())
        model.eval()
        loader = [(library.tensor(batch), None) for batch in batches]
        library.optim.swa_utils.update_bn(loader, model)
        assert not model.training
        assert model[0].momentum == 0.3
        results.append((model[0].running_mean.numpy(), model[0].running_var.numpy()))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-6)
