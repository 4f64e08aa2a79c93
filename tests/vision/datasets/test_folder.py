"""Data sets whose folders are the classes."""

from pathlib import Path

import pytest
from PIL import Image

from flambeau.vision import transforms
from flambeau.vision.datasets import DatasetFolder, ImageFolder
from flambeau.vision.datasets.folder import default_loader, find_classes, is_image_file, make_dataset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes, with folders below, capitals in names, and files that are no images."""
    for name in ("bees/2.PNG", "bees/deep/1.png", "ants/b.png", "ants/a.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 3), 7).save(path)
    (tmp_path / "ants" / "notes.txt").write_text("no image")
    (tmp_path / "list.txt").write_text("no class")
    return tmp_path


def test_images_are_found_in_order(root: Path) -> None:
    data = ImageFolder(str(root), transform=transforms.ToTensor(), target_transform=lambda target: -target)
    assert data.classes == ["ants", "bees"] and data.class_to_idx == {"ants": 0, "bees": 1}
    assert [Path(path).relative_to(root).as_posix() for path, _ in data.samples] == [
        "ants/a.png", "ants/b.png", "bees/2.PNG", "bees/deep/1.png",
    ]  # fmt: skip
    assert data.targets == [0, 0, 1, 1] and data.imgs is data.samples and len(data) == 4
    image, target = data[3]
    assert image.shape == (3, 3, 4) and target == -1
    assert repr(data).startswith("Dataset ImageFolder\n    Number of datapoints: 4\n    Root location: ")


def test_a_loader_and_a_choice_of_ones_own(root: Path) -> None:
    texts = DatasetFolder(root, lambda path: Path(path).read_text(), (".txt",), allow_empty=True)
    assert texts[0] == ("no image", 0) and len(texts) == 1
    chosen = ImageFolder(root, is_valid_file=lambda path: "deep" in path or path.endswith("a.png"))
    assert [target for _, target in chosen.samples] == [0, 1]
    assert default_loader(root / "ants" / "a.png").mode == "RGB"


def test_what_is_wrong_is_said(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder in"):
        find_classes(empty)
    with pytest.raises(FileNotFoundError, match=r"no valid file for the classes bees. Supported extensions are: .txt"):
        DatasetFolder(root, open, (".txt",))
    with pytest.raises(ValueError, match="Both extensions and is_valid_file"):
        make_dataset(root)
    with pytest.raises(ValueError, match="Both extensions and is_valid_file"):
        make_dataset(root, extensions=".png", is_valid_file=is_image_file)
    with pytest.raises(ValueError, match="at least one entry"):
        make_dataset(root, {}, ".png")


def test_real_insects(data: Path) -> None:
    folder = data / "hymenoptera_data" / "val"
    if not folder.is_dir():
        pytest.skip(f"no hymenoptera_data in {data}")
    insects = ImageFolder(
        folder, transforms.Compose([transforms.Resize(32), transforms.CenterCrop(32), transforms.ToTensor()])
    )
    assert insects.classes == ["ants", "bees"] and len(insects) == 153
    assert insects[0][0].shape == (3, 32, 32) and insects[-1][1] == 1
