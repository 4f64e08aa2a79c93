"""Image files to tensors and back."""

import io

import numpy
import pytest

import flambeau as torch

Image = pytest.importorskip("PIL.Image")
files = torch.vision.io


def picture(channels=3, height=7, width=9):
    ramp = numpy.linspace(0, 255, channels * height * width).reshape(channels, height, width)
    return torch.from_numpy(ramp.astype("uint8"))


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_is_lossless(channels, tmp_path):
    image = picture(channels)
    files.write_png(image, tmp_path / "image.png", compression_level=9)
    assert torch.equal(files.read_image(str(tmp_path / "image.png")), image)
    assert torch.equal(files.decode_png(files.encode_png(image)), image)
    assert torch.equal(files.decode_image(str(tmp_path / "image.png")), image)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_close_and_better_with_quality(channels, tmp_path):
    image = picture(channels, 32, 32)
    sizes, errors = [], []
    for quality in (10, 50, 95):
        files.write_jpeg(image, tmp_path / "image.jpg", quality)
        found = files.read_image(tmp_path / "image.jpg")
        assert found.shape == image.shape
        sizes.append((tmp_path / "image.jpg").stat().st_size)
        errors.append((found.float() - image.float()).abs().mean().item())
    assert sizes == sorted(sizes) and errors == sorted(errors, reverse=True) and errors[-1] < 2


@pytest.mark.parametrize(
    "mode, channels",
    [("UNCHANGED", 3), ("GRAY", 1), ("GRAY_ALPHA", 2), ("RGB", 3), ("RGB_ALPHA", 4), ("rgb", 3), ("RGBA", 4)],
)
def test_modes(mode, channels):
    data = files.encode_png(picture())
    assert files.decode_image(data, mode).shape == (channels, 7, 9)
    assert files.decode_png(data, getattr(files.ImageReadMode, mode.upper())).shape == (channels, 7, 9)


def test_modes_keep_torchvisions_numbers():
    assert [each.value for each in files.ImageReadMode] == [0, 1, 2, 3, 4]


def test_palettes_are_colours_and_bits_are_grey():
    red = Image.new("RGB", (4, 3), "red")
    assert files.decode_image(encoded(red.convert("P", palette=Image.Palette.ADAPTIVE)))[:, 0, 0].tolist() == [255, 0, 0]
    bits = files.decode_image(encoded(red.convert("1")))
    assert bits.shape == (1, 3, 4) and set(bits.unique().tolist()) <= {0, 255}


def test_sixteen_bits_are_kept():
    values = numpy.arange(12, dtype="uint16").reshape(3, 4) * 5000
    found = files.decode_png(encoded(Image.fromarray(values)))
    assert found.dtype == torch.uint16
    assert (found.numpy()[0] == values).all()


def test_orientation_is_applied_when_asked():
    image = Image.new("RGB", (8, 4), "blue")
    exif = image.getexif()
    exif[0x0112] = 6  # turned by a quarter
    data = encoded(image, "JPEG", exif=exif)
    assert files.decode_jpeg(data).shape == (3, 4, 8)
    assert files.decode_jpeg(data, apply_exif_orientation=True).shape == (3, 8, 4)
    assert files.decode_image(data, apply_exif_orientation=True).shape == (3, 8, 4)


def test_animations_have_a_dimension_for_time():
    colours = [Image.new("RGB", (4, 3), each) for each in ("red", "lime", "blue")]
    several = encoded(colours[0], "GIF", save_all=True, append_images=colours[1:])
    found = files.decode_image(several)
    assert found.shape == (3, 3, 3, 4)
    assert found[1, :, 0, 0].tolist() == [0, 255, 0]
    assert files.decode_gif(encoded(colours[0], "GIF")).shape == (3, 3, 4)


def test_lists_of_jpegs():
    images = [picture(), picture(height=8)]
    found = files.decode_jpeg(files.encode_jpeg(images))
    assert [each.shape for each in found] == [each.shape for each in images]


def test_webp():
    assert files.decode_webp(encoded(Image.new("RGB", (4, 3), "red"), "WEBP", lossless=True))[:, 0, 0].tolist() == [255, 0, 0]


def test_files_are_bytes(tmp_path):
    data = torch.tensor([0, 255, 7], dtype=torch.uint8)
    files.write_file(tmp_path / "bytes", data)
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff\x07"
    assert torch.equal(files.read_file(str(tmp_path / "bytes")), data)
    with pytest.raises(RuntimeError, match="uint8"):
        files.write_file(tmp_path / "bytes", data.float())
    with pytest.raises(FileNotFoundError):
        files.read_image(tmp_path / "missing.png")


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: files.encode_png(picture().float()), RuntimeError, "should be uint8"),
        (lambda: files.encode_png(picture()[0]), RuntimeError, "3-dimensional"),
        (lambda: files.encode_png(picture()[:2]), RuntimeError, "should be 1 or 3, got: 2"),
        (lambda: files.encode_png(picture(), 10), RuntimeError, "between 0 and 9"),
        (lambda: files.encode_jpeg(picture(), 0), ValueError, "between 1 and 100"),
        (lambda: files.decode_image(torch.zeros(9, dtype=torch.uint8)), RuntimeError, "no image file"),
        (lambda: files.decode_jpeg(files.encode_png(picture())), RuntimeError, "no JPEG"),
        (lambda: files.decode_image(torch.zeros(2, 2, dtype=torch.uint8)), RuntimeError, "1-dimensional"),
    ],
)
def test_what_is_no_image_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
