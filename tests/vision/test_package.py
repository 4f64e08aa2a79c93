"""The package's parts, and what it says where Pillow is missing."""

import importlib
import sys

import pytest

import flambeau as torch
from flambeau import vision
from flambeau.vision import pillow


def test_parts_are_imported_when_touched() -> None:
    assert torch.vision is vision and vision.transforms is importlib.import_module("flambeau.vision.transforms")
    assert vision.transforms.functional.to_tensor and vision.transforms.v2.functional.to_image
    assert {"datasets", "transforms", "tv_tensors"} <= set(dir(vision))
    for home, name in ((vision, "nothing"), (vision.transforms, "nothing"), (vision.transforms.v2, "nothing")):
        with pytest.raises(AttributeError, match=f"module '{home.__name__}' has no attribute 'nothing'"):
            getattr(home, name)


def test_there_is_one_image_backend() -> None:
    vision.set_image_backend("PIL")
    assert vision.get_image_backend() == "PIL"
    with pytest.raises(ValueError, match="Invalid backend 'accimage'"):
        vision.set_image_backend("accimage")


def test_without_pillow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "PIL", None)
        with pytest.raises(ImportError, match=r"pip install 'flambeau\[vision\]'"):
            importlib.reload(pillow)
    importlib.reload(pillow)
