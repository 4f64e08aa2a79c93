"""Networks start with torchvision's values and compute torchvision's numbers."""

import importlib
import warnings

import numpy
import pytest

import flambeau

torch = pytest.importorskip("torch")
try:
    theirs = importlib.import_module("torchvision.models")
except (ImportError, RuntimeError):  # missing, or built for another torch
    pytest.skip("torchvision that works with this torch is needed", allow_module_level=True)

ours = flambeau.vision.models
pytestmark = pytest.mark.parity


def built(name, **options):
    torch.manual_seed(3)
    flambeau.manual_seed(3)
    return theirs.get_model(name, **options), ours.get_model(name, **options)


def agree(a, b, tolerance):
    a, b = a.detach().numpy(), b.detach().numpy()
    assert a.shape == b.shape
    assert numpy.abs(a - b).max() <= tolerance * max(1e-3, numpy.abs(a).max())


NETWORKS = [
    ("resnet18", {"zero_init_residual": True, "num_classes": 5}, 48),
    ("vgg11_bn", {"num_classes": 10, "init_weights": False}, 32),
    ("alexnet", {"num_classes": 10}, 64),
    ("squeezenet1_0", {}, 48),
    ("squeezenet1_1", {"num_classes": 10}, 48),
    ("densenet121", {"drop_rate": 0.1, "num_classes": 5}, 64),
    ("mobilenet_v2", {"width_mult": 0.5}, 48),
    ("mobilenet_v3_small", {"dropout": 0.5}, 48),
    ("mobilenet_v3_large", {"reduced_tail": True, "dilated": True}, 48),
    ("efficientnet_b0", {}, 48),
    ("efficientnet_v2_s", {}, 48),
    ("convnext_tiny", {"num_classes": 5}, 48),
    ("googlenet", {"init_weights": False, "num_classes": 5, "transform_input": True}, 64),
    ("mnasnet0_5", {}, 48),
    ("shufflenet_v2_x0_5", {}, 48),
    ("regnet_y_400mf", {"num_classes": 5}, 48),
    ("vit_b_32", {"image_size": 64, "representation_size": 7, "dropout": 0.1, "attention_dropout": 0.1}, 64),
]


@pytest.mark.parametrize("name, options, size", NETWORKS, ids=[row[0] for row in NETWORKS])
def test_values_and_outputs(name, options, size):
    network, mine = built(name, **options)
    assert repr(network) == repr(mine)
    state, my_state = network.state_dict(), mine.state_dict()
    assert list(state) == list(my_state)
    for key, value in state.items():
        assert numpy.array_equal(value.numpy(), my_state[key].numpy()), key
    assert torch.get_rng_state().tolist() == flambeau.get_rng_state().tolist()
    # First values leave whole branches at 0 (the heads of a transformer) or nearly so: make every part count.
    for value in state.values():
        if value.is_floating_point() and (value.numel() == value.shape[0] or not value.any()):
            value += torch.rand(value.shape) * 0.5
    images = torch.rand(2, 3, size, size)
    my_images = flambeau.from_numpy(images.numpy().copy())
    for training in (True, False):  # the first changes running statistics
        mine.load_state_dict({key: flambeau.from_numpy(value.numpy().copy()) for key, value in network.state_dict().items()})
        network.train(training)
        mine.train(training)
        # In training, dropout and stochastic depth draw; normalizing by a batch of two magnifies rounding.
        torch.manual_seed(4)
        flambeau.manual_seed(4)
        with torch.no_grad(), flambeau.no_grad():
            outputs, found = network(images), mine(my_images)
        if isinstance(outputs, tuple):
            assert type(found).__name__ == type(outputs).__name__ and found._fields == outputs._fields
        else:
            outputs, found = (outputs,), (found,)
        for each, my_each in zip(outputs, found):
            assert each.std() > 1e-3
            agree(each, my_each, 1e-2 if training else 1e-4)


def test_enumerations():
    for name in ours.list_models():
        expected, found = theirs.get_model_weights(name), ours.get_model_weights(name)
        assert expected.__name__ == found.__name__
        assert list(expected.__members__) == list(found.__members__)
        for member, weights in expected.__members__.items():
            mine = found[member]
            assert mine.url == weights.url
            assert repr(mine) == repr(weights)
            described = {key: value for key, value in weights.meta.items() if key != "_docs"}
            assert repr({key: mine.meta[key] for key in described}) == repr(described)
            assert set(mine.meta) == set(described)


def test_preparations():
    pytest.importorskip("PIL")
    for name in ("resnet50", "efficientnet_b0", "vgg16"):
        for mine, weights in zip(ours.get_model_weights(name), theirs.get_model_weights(name)):
            assert repr(mine.transforms()) == repr(weights.transforms())
            image = torch.randint(0, 256, (1, 3, 250, 301), dtype=torch.uint8)
            expected, found = weights.transforms()(image), mine.transforms()(flambeau.from_numpy(image.numpy().copy()))
            assert tuple(expected.shape) == tuple(found.shape)
            # A resampled level may round the other way.
            assert numpy.abs(expected.numpy() - found.numpy()).max() <= 1.01 / 255 / min(weights.transforms().std)


def test_signatures_and_warnings():
    for call in (lambda m: m.resnet18(True, False), lambda m: m.vit_h_14(pretrained=True), lambda m: m.alexnet(pretrained=False)):
        messages = []
        for module in (theirs, ours):
            with pytest.MonkeyPatch.context() as patch:

                def stop(self, *args, **kwargs):
                    raise KeyboardInterrupt

                patch.setattr(module.WeightsEnum, "get_state_dict", stop)
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    try:
                        call(module)
                    except (KeyboardInterrupt, ValueError) as error:
                        messages.append((type(error), str(error)))
            messages.append([str(each.message) for each in caught])
        half = len(messages) // 2
        assert messages[:half] == messages[half:]
