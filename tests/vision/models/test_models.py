"""Every model has torchvision's parameters, under torchvision's names; published checkpoints load."""

import hashlib
import pickle
import warnings
from pathlib import Path

import pytest

import flambeau as torch

models = torch.vision.models

TABLE = [
    (name, int(parameters), int(entries), digest)
    for name, parameters, entries, digest in (
        line.split() for line in Path(__file__).with_name("published_models.txt").read_text().splitlines()[1:]
    )
]


@pytest.mark.parametrize("name, parameters, entries, digest", TABLE, ids=[row[0] for row in TABLE])
def test_names_and_shapes(name, parameters, entries, digest, without_values):
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = models.get_model(name, **options)
    assert sum(each.numel() for each in network.parameters()) == parameters
    state = network.state_dict()
    assert len(state) == entries
    listed = "\n".join(f"{key} {tuple(value.shape)}" for key, value in state.items())
    assert hashlib.sha256(listed.encode()).hexdigest()[:16] == digest


def test_the_table_lists_every_model():
    assert [row[0] for row in TABLE] == models.list_models()


@pytest.mark.parametrize("name, parameters, entries, digest", TABLE, ids=[row[0] for row in TABLE])
def test_published_weights_are_described(name, parameters, entries, digest):
    enumeration = models.get_model_weights(name)
    assert enumeration.DEFAULT in list(enumeration)
    for weights in enumeration:
        meta = weights.meta
        assert weights.url.startswith("https://download.pytorch.org/models/") and weights.url.endswith(".pth")
        # Some were trained on larger images, which have more positions; one is published without its auxiliary heads.
        assert "E2E" in weights.name or name in ("googlenet", "vit_h_14") or meta["num_params"] == parameters
        assert meta["categories"] is None or (len(meta["categories"]) == 1000 and meta["categories"][0] == "tench")
        assert models.get_weight(f"{enumeration.__name__}.{weights.name}") is weights
        assert pickle.loads(pickle.dumps(weights)) is weights


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small"])
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    network = models.get_model(name, num_classes=5)
    loss = torch.nn.functional.cross_entropy(network(torch.rand(4, 3, 48, 48)), torch.tensor([0, 1, 2, 3]))
    loss.backward()
    assert loss.isfinite()
    assert all(each.grad is not None for each in network.parameters())


# --- weights, without a network to fetch them from --------------------------------------------------------------------


@pytest.fixture
def published(monkeypatch, without_values):
    """Answers downloads with the state of a network whose entries are all 0.5."""
    asked = []

    def answer(url, *args, **kwargs):
        asked.append((url, kwargs))
        state = models.squeezenet1_1().state_dict()
        return {name: torch.full_like(value, 0.5) for name, value in state.items()}

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", answer)
    return asked


def filled(network):
    return all((value == 0.5).all() for value in network.state_dict().values() if value.is_floating_point())


@pytest.mark.parametrize(
    "weights", [models.SqueezeNet1_1_Weights.DEFAULT, "DEFAULT", "IMAGENET1K_V1", "SqueezeNet1_1_Weights.IMAGENET1K_V1"]
)
def test_weights_are_fetched_and_loaded(published, weights):
    assert filled(models.squeezenet1_1(weights=weights, progress=False))
    assert published == [(models.SqueezeNet1_1_Weights.DEFAULT.url, {"progress": False, "check_hash": True})]


def test_a_checkpoint_is_downloaded_once_and_its_checksum_verified(monkeypatch, tmp_path):
    torch.manual_seed(0)
    network = models.squeezenet1_1()
    torch.save(network.state_dict(), tmp_path / "state")
    content = (tmp_path / "state").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(torch.hub, "_chosen_directory", str(tmp_path / "hub"))
    weights = models.SqueezeNet1_1_Weights.DEFAULT
    for name, fits in ((f"squeezenet-{digest[:8]}.pth", True), ("squeezenet-01234567.pth", False)):
        (tmp_path / name).write_bytes(content)
        monkeypatch.setattr(weights.value, "url", (tmp_path / name).as_uri())
        if not fits:
            with pytest.raises(RuntimeError, match="invalid hash value"):
                models.squeezenet1_1(weights=weights, progress=False)
            continue
        for _ in range(2):
            loaded = models.squeezenet1_1(weights=weights, progress=False).state_dict()
            assert all(torch.equal(value, loaded[key]) for key, value in network.state_dict().items())
            (tmp_path / name).unlink(missing_ok=True)  # the second time it is there already


def test_old_arguments_work_with_a_warning(published):
    with pytest.warns(UserWarning, match="'pretrained' is deprecated since 0.13"):
        assert filled(models.squeezenet1_1(pretrained=True))
    with pytest.warns(UserWarning, match="`weights=SqueezeNet1_1_Weights.IMAGENET1K_V1`"):
        assert filled(models.squeezenet1_1(pretrained=True))
    with pytest.warns(UserWarning, match="Using 'weights' and 'progress' as positional"):
        assert filled(models.squeezenet1_1(True, False))
    assert published[-1][1]["progress"] is False
    count = len(published)
    with pytest.warns(UserWarning, match="`weights=None`"):
        models.squeezenet1_1(pretrained=False)
    assert len(published) == count


def test_weights_fix_what_they_were_trained_with(published):
    with pytest.raises(ValueError, match="'num_classes' expected value 1000 but got 10"):
        models.squeezenet1_1(weights="DEFAULT", num_classes=10)
    with pytest.raises(ValueError, match="'image_size' expected value 224 but got 32"):
        models.vit_b_16(weights="DEFAULT", image_size=32)
    with pytest.raises(ValueError, match="'groups' expected value 32 but got 4"):
        models.resnext50_32x4d(groups=4)


def test_other_models_weights_are_refused():
    with pytest.raises(TypeError, match="expected ResNet18_Weights but received ResNet50_Weights"):
        models.resnet18(weights=models.ResNet50_Weights.DEFAULT)
    with pytest.raises(KeyError):
        models.resnet18(weights="IMAGENET1K_V9")
    with pytest.raises(TypeError, match="at most 2 positional arguments"):
        models.resnet18(None, True, 3)


def test_old_checkpoints_of_densenet_load(monkeypatch, without_values):
    state = models.densenet121().state_dict()
    old = {
        "features.denseblock1.denselayer1.norm.1.weight": "features.denseblock1.denselayer1.norm1.weight",
        "features.denseblock4.denselayer16.conv.2.weight": "features.denseblock4.denselayer16.conv2.weight",
    }
    published = {name: torch.full_like(value, 0.5) for name, value in state.items()}
    for before, name in old.items():
        published[before] = published.pop(name)
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: published)
    assert filled(models.densenet121(weights="DEFAULT"))


def test_old_checkpoints_of_the_vision_transformer_load():
    network = models.VisionTransformer(32, 16, 1, 2, 8, 16, num_classes=3)
    state = network.state_dict()
    old = {name.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2"): v for name, v in state.items()}
    assert list(old) != list(state)
    models.VisionTransformer(32, 16, 1, 2, 8, 16, num_classes=3).load_state_dict(old)


def test_auxiliary_heads_may_be_left_out(monkeypatch, without_values):
    for build, answer in (
        (models.googlenet, models.googlenet(init_weights=False)),
        (models.inception_v3, models.inception_v3(init_weights=False)),
    ):
        state = {name: torch.full_like(value, 0.5) for name, value in answer.state_dict().items()}
        monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, state=state, **__: state)
        plain = build(weights="DEFAULT", aux_logits=False)
        assert filled(plain) and plain.transform_input and not any("ux" in name for name in plain.state_dict())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GoogLeNet's are untrained, it says
            assert filled(build(weights="DEFAULT", aux_logits=True))


# --- finding models ---------------------------------------------------------------------------------------------------


def test_models_are_found_by_name():
    assert models.get_model_builder("ResNet18") is models.resnet18
    assert models.get_model_weights(models.resnet18) is models.ResNet18_Weights
    assert models.list_models(include=["vit*", "alex*"], exclude="*32") == ["alexnet", "vit_b_16", "vit_h_14", "vit_l_16"]
    assert models.list_models(module=models) == models.list_models()
    assert isinstance(models.get_model("squeezenet1_1", num_classes=3), models.SqueezeNet)
    assert pickle.loads(pickle.dumps(models.resnet18)) is models.resnet18
    with pytest.raises(ValueError, match="Unknown model resnet19"):
        models.get_model("resnet19")
    for name in ("ResNet18", "ResNet18_Weights.IMAGENET1K_V9", "ResNet19_Weights.DEFAULT"):
        with pytest.raises(ValueError):
            models.get_weight(name)


# --- arguments --------------------------------------------------------------------------------------------------------


def test_resnet_dilates_instead_of_striding():
    network = models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], 3, replace_stride_with_dilation=[False, True, True])
    features = torch.nn.Sequential(*list(network.children())[:-2])
    assert features(torch.rand(1, 3, 64, 64)).shape == (1, 2048, 8, 8)
    with pytest.raises(ValueError, match="3-element tuple"):
        models.resnet18(replace_stride_with_dilation=[True])
    with pytest.raises(ValueError, match="groups=1"):
        models.resnet18(groups=2)


def test_resnet_blocks_may_start_as_the_identity():
    network = models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], 3, zero_init_residual=True)
    assert network.layer1[0].bn2.weight.abs().sum() == 0
    assert network.layer1[0].bn1.weight.sum() == 64


def test_densenet_saves_memory_without_changing_gradients():
    grads = []
    for memory_efficient in (False, True):
        torch.manual_seed(0)
        network = models.DenseNet(4, (2, 2), 8, num_classes=3, memory_efficient=memory_efficient)
        network(torch.linspace(0, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)).square().sum().backward()
        grads.append([each.grad for each in network.parameters()])
    for plain, saved in zip(*grads):
        torch.testing.assert_close(plain, saved)


def test_vision_transformer_refuses_images_of_another_size():
    network = models.VisionTransformer(32, 16, 1, 2, 8, 16, num_classes=3)
    with pytest.raises(AssertionError, match="Expected 32 but got 48"):
        network(torch.rand(1, 3, 48, 32))
    with pytest.raises(AssertionError, match="indivisible by patch size"):
        models.VisionTransformer(33, 16, 1, 2, 8, 16)


def test_positions_are_resampled_for_larger_images():
    state = models.VisionTransformer(32, 16, 1, 2, 8, 16, num_classes=3).state_dict()
    wider = models.vision_transformer.interpolate_embeddings(64, 16, state)
    network = models.VisionTransformer(64, 16, 1, 2, 8, 16, num_classes=3)
    network.load_state_dict(wider)
    assert network(torch.rand(1, 3, 64, 64)).shape == (1, 3)
    without_heads = models.vision_transformer.interpolate_embeddings(64, 16, state, reset_heads=True)
    assert not any(name.startswith("heads") for name in without_heads)


def test_images_are_prepared_as_published():
    Image = pytest.importorskip("PIL.Image")
    prepare = models.ResNet50_Weights.IMAGENET1K_V2.transforms()
    assert "crop_size=[224]" in repr(prepare) and "resize_size=[232]" in repr(prepare)
    grey = prepare(Image.new("RGB", (300, 240), (128, 128, 128)))
    assert grey.shape == (3, 224, 224) and grey.dtype == torch.float32
    expected = (128 / 255 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(grey.mean((1, 2)), expected)
    batch = prepare(torch.full((2, 3, 240, 300), 128, dtype=torch.uint8))
    torch.testing.assert_close(batch[1], grey)
