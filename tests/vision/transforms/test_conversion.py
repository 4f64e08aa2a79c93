"""Between PIL images, arrays and tensors; between dtypes; normalisation."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

import flambeau as torch
from flambeau.vision import transforms as T
from flambeau.vision.transforms import functional as F


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "HSV"])
def test_bytes_become_numbers_from_0_to_1_and_back(mode: str) -> None:
    image = Image.frombytes(mode, (5, 4), np.random.default_rng(0).bytes(20 * len(Image.new(mode, (1, 1)).getbands())))
    pixels = np.asarray(image).reshape(4, 5, -1)
    made = T.ToTensor()(image)
    assert made.dtype is torch.float32 and made.shape == (pixels.shape[2], 4, 5) and made.is_contiguous()
    assert np.array_equal(made.numpy(), pixels.transpose(2, 0, 1) / np.float32(255))
    assert torch.equal(T.PILToTensor()(image), torch.from_numpy(pixels.transpose(2, 0, 1).copy()))
    for tensor in (made, T.PILToTensor()(image)):
        assert T.ToPILImage(mode)(tensor).tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("mode", "dtype", "made"),
    [("I", np.int32, torch.int32), ("F", np.float32, torch.float32), ("I;16", np.uint16, torch.int16)],
)
def test_other_numbers_stay_as_they_are(mode: str, dtype: type, made: torch.dtype) -> None:
    numbers = np.arange(6, dtype=dtype).reshape(2, 3) * 300
    image = Image.frombytes(mode, (3, 2), numbers.tobytes())
    assert F.to_tensor(image).dtype is made and F.to_tensor(image).tolist() == [numbers.tolist()]
    assert (
        F.pil_to_tensor(image).tolist() == [numbers.tolist()]
        and F.pil_to_tensor(image).element_size() == numbers.itemsize
    )


def test_black_and_white() -> None:
    image = Image.fromarray(np.array([[True, False]]))
    assert image.mode == "1" and F.to_tensor(image).tolist() == [[[1.0, 0.0]]]


def test_arrays() -> None:
    assert F.to_tensor(np.full((2, 3), 255, np.uint8)).tolist() == [[[1.0] * 3] * 2]
    grid = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
    assert np.array_equal(F.to_tensor(grid).numpy(), grid.transpose(2, 0, 1))
    with pytest.raises(ValueError, match=r"pic should be 2/3 dimensional. Got 1"):
        F.to_tensor(np.zeros(3))
    with pytest.raises(TypeError, match=r"pic should be PIL Image or ndarray. Got <class 'list'>"):
        F.to_tensor([1])
    with pytest.raises(TypeError, match="pic should be PIL Image"):
        F.pil_to_tensor(np.zeros((2, 2)))


def test_the_tensor_owns_its_memory(pil: Image.Image) -> None:
    made = F.to_tensor(pil)
    made[0, 0, 0] = 5.0
    assert F.to_tensor(pil)[0, 0, 0] != 5.0
    pixels = np.zeros((2, 2), np.float32)
    shared = F.to_tensor(pixels)
    pixels[0, 0] = 1
    assert float(shared.sum()) == 0


def test_in_the_default_dtype(pil: Image.Image) -> None:
    for dtype in (torch.float64, torch.float16):
        torch.set_default_dtype(dtype)
        try:
            made = F.to_tensor(pil)
        finally:
            torch.set_default_dtype(torch.float32)
        assert made.dtype is dtype and float(made.max()) <= 1


@pytest.mark.parametrize(
    ("pic", "mode", "kind", "told"),
    [
        (torch.zeros(5, 2, 2), None, ValueError, "should not have > 4 channels. Got 5"),
        (torch.zeros(2), None, ValueError, "pic should be 2/3 dimensional. Got 1"),
        (torch.zeros(1, 2, 2), "RGB", ValueError, r"Incorrect mode \(RGB\) supplied for input type"),
        (torch.zeros(3, 2, 2), "L", ValueError, "Only modes .*RGB.* are supported for 3 channel inputs"),
        (torch.zeros(1, 2, 2, dtype=torch.int64), None, TypeError, "Input type int64 is not supported"),
        ([1], None, TypeError, "pic should be Tensor or ndarray. Got <class 'list'>"),
    ],
)
def test_what_is_no_image_is_refused(pic: object, mode: str | None, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        F.to_pil_image(pic, mode)


def test_images_of_one_channel() -> None:
    for dtype, mode in ((torch.uint8, "L"), (torch.int16, "I;16"), (torch.int32, "I")):
        assert F.to_pil_image(torch.ones(2, 3, dtype=dtype)).mode == mode
    assert F.to_pil_image(torch.ones(1, 2, 3)).mode == "L"
    assert F.to_pil_image(torch.full((1, 2, 3), 0.5), "F").getpixel((0, 0)) == 0.5


DTYPES = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float32, torch.float64]


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_full_brightness_stays_full_brightness(source: torch.dtype, target: torch.dtype) -> None:
    full = 1 if source.is_floating_point else torch.iinfo(source).max
    image = torch.tensor([[0, full]], dtype=source)
    if (source, target) in ((torch.float32, torch.int32), (torch.float32, torch.int64), (torch.float64, torch.int64)):
        with pytest.raises(RuntimeError, match="cannot be performed safely"):
            F.convert_image_dtype(image, target)
        return
    made = F.convert_image_dtype(image, target)
    assert made.dtype is target and made[0, 0] == 0
    wanted = 1 if target.is_floating_point else torch.iinfo(target).max
    coarse = not source.is_floating_point and not target.is_floating_point and full < wanted
    assert made[0, 1] == (wanted + 1) // (full + 1) * full if coarse else made[0, 1] == wanted


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 255))
def test_a_byte_survives_the_way_through_floats(level: int) -> None:
    image = torch.full((1, 1, 1), level, dtype=torch.uint8)
    for dtype in (torch.float32, torch.float64):
        assert F.convert_image_dtype(F.convert_image_dtype(image, dtype), torch.uint8).item() == level


def test_normalisation(unit: torch.Tensor) -> None:
    mean, std = [0.1, 0.2, 0.3], [0.5, 0.25, 2.0]
    expected = (unit.numpy() - np.array(mean, "f4")[:, None, None]) / np.array(std, "f4")[:, None, None]
    assert np.array_equal(T.Normalize(mean, std)(unit).numpy(), expected)
    pending = unit + 0
    assert np.array_equal(F.normalize(pending, mean, std).numpy(), expected)
    assert np.array_equal(F.normalize(unit[None], torch.tensor(mean), torch.tensor(std)).numpy()[0], expected)
    assert np.allclose(F.normalize(unit, 0.5, 0.5).numpy(), (unit.numpy() - 0.5) / 0.5)
    here = unit.clone()
    assert F.normalize(here, mean, std, inplace=True) is here and np.array_equal(here.numpy(), expected)
    assert not np.array_equal(unit.numpy(), expected)


def test_normalisation_is_differentiable(unit: torch.Tensor) -> None:
    image = unit.clone().requires_grad_()
    F.normalize(image, [0.5] * 3, [0.25, 0.5, 1.0]).sum().backward()
    assert image.grad[:, 0, 0].tolist() == [4.0, 2.0, 1.0]


def test_what_cannot_be_normalised(unit: torch.Tensor, planes: torch.Tensor, pil: Image.Image) -> None:
    with pytest.raises(TypeError, match=r"Input tensor should be a float tensor. Got torch.uint8"):
        F.normalize(planes, [0.5], [0.5])
    with pytest.raises(TypeError, match="img should be Tensor Image"):
        F.normalize(pil, [0.5], [0.5])
    with pytest.raises(ValueError, match="tensor image of size"):
        F.normalize(unit[0], [0.5], [0.5])
    with pytest.raises(ValueError, match="std evaluated to zero"):
        F.normalize(unit, [0.5], [0.0])
    with pytest.raises(RuntimeError, match="size"):
        F.normalize(unit, [0.5] * 2, [0.5] * 2)
    with pytest.raises(RuntimeError):
        F.normalize(unit[:1], [0.5] * 3, [0.5] * 3)  # must not become three channels


def test_whitening(unit: torch.Tensor) -> None:
    image = unit[:, :2, :2]
    made = T.LinearTransformation(2 * torch.eye(12), torch.ones(12))(image)
    assert torch.allclose(made, 2 * (image - 1))
    with pytest.raises(ValueError, match="transformation_matrix should be square"):
        T.LinearTransformation(torch.ones(2, 3), torch.ones(2))
    with pytest.raises(ValueError, match="incompatible shape"):
        T.LinearTransformation(torch.eye(2), torch.ones(2))(image)
