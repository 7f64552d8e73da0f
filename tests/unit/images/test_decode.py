"""One image is read as Pillow shows it, whatever it is saved as, or refused."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from thalweg.images.decode import MOST_PIXELS, UnreadableError, decode, look
from thalweg.images.formats import FORMATS, SUFFIXES
from thalweg.images.image_set import ImageForm

RANDOM = np.random.default_rng(0)
COLOR = RANDOM.integers(0, 256, (12, 9, 3), np.uint8)
GREY = COLOR[..., 0]
SMOOTH = np.add.outer(np.arange(40), 2 * np.arange(30)).astype(np.uint8)


def saved(image, kind="PNG", **options) -> io.BytesIO:
    out = io.BytesIO()
    image.save(out, kind, **options)
    out.seek(0)
    return out


def pixels_of(image, kind="PNG", form=None, **options):
    return decode(saved(image, kind, **options), f"a{FORMATS[kind][0]}", form)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
@pytest.mark.parametrize("array", [GREY, COLOR], ids=["grey", "color"])
def test_formats_without_loss_give_the_same_pixels(kind, array) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels, facts = pixels_of(Image.fromarray(array), kind, **options)
    # WebP has no grey.
    wanted = array if array.ndim == 3 else array[..., None]
    assert (pixels == wanted).all()
    assert not facts.remarks
    assert facts.cut == 0


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_formats_with_loss_give_nearly_the_same(kind) -> None:
    pixels, _ = pixels_of(Image.fromarray(SMOOTH), kind)
    assert abs(pixels[..., 0].astype(int) - SMOOTH).max() <= 12


MODES = {
    "1": (1, {"bilevel"}),
    "L": (1, set()),
    "LA": (1, {"alpha"}),
    "P": (3, {"palette"}),
    "RGB": (3, set()),
    "RGBA": (3, {"alpha"}),
    "CMYK": (3, {"inks"}),
    "YCbCr": (3, set()),
    "I;16": (1, {"deep"}),
}
KIND = {"CMYK": "TIFF", "YCbCr": "JPEG"}


def in_mode(mode: str):
    """An image of some kind of pixels, half of it transparent if it can be."""
    if mode == "I;16":
        return Image.fromarray(GREY.astype(np.uint16) * 256 + 77)
    image = Image.fromarray(COLOR).convert(mode)
    if "A" in mode:
        image.putalpha(Image.fromarray(np.where(GREY > 127, 255, 0).astype(np.uint8)))
    return image


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_pixels_is_read_and_said(mode) -> None:
    image, kind = in_mode(mode), KIND.get(mode, "PNG")
    channels, remarks = MODES[mode]
    seen = look(saved(image, kind), f"a{FORMATS[kind][0]}")
    pixels, facts = pixels_of(image, kind)
    assert (seen.height, seen.width, seen.channels) == (12, 9, channels)
    assert facts.remarks == remarks
    if mode == "I;16":
        wanted = GREY
    else:
        shown = Image.open(saved(image, kind)).convert("RGBA")
        white = Image.new("RGBA", shown.size, "white")
        white.alpha_composite(shown)
        wanted = np.asarray(white.convert("L" if channels == 1 else "RGB"))
    assert np.array_equal(pixels.reshape(wanted.shape), wanted)


def test_alpha_that_hides_nothing_isnt_said() -> None:
    image = Image.fromarray(COLOR)
    image.putalpha(255)
    pixels, facts = pixels_of(image)
    assert not facts.remarks
    assert np.array_equal(pixels, COLOR)


def test_a_transparent_color_is_shown_on_white() -> None:
    color = tuple(int(value) for value in COLOR[3, 4])
    pixels, facts = pixels_of(Image.fromarray(COLOR), transparency=color)
    assert facts.remarks == {"alpha"}
    assert pixels[3, 4].tolist() == [255, 255, 255]
    assert np.array_equal(pixels[0], COLOR[0])


def test_a_grey_palette_is_grey() -> None:
    image = Image.fromarray(GREY).convert("P")
    pixels, facts = pixels_of(image)
    assert pixels.shape == (12, 9, 1)
    assert facts.remarks == {"palette"}
    assert np.array_equal(pixels[..., 0], GREY)


def test_grey_pixels_of_ppm_with_16_bits_keep_the_upper_8() -> None:
    content = b"P5 9 12 65535\n" + (GREY.astype(int) * 256 + 9).astype(">u2").tobytes()
    pixels, facts = decode(io.BytesIO(content), "a.pgm")
    assert facts.remarks == {"deep"}
    assert np.array_equal(pixels[..., 0], GREY)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_images_are_turned_upright(kind, turn) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    image = Image.fromarray(SMOOTH).convert("RGB")
    options = {"lossless": True} if kind == "WEBP" else {}
    options |= {"quality": 95} if kind == "JPEG" else {}
    content = saved(image, kind, exif=exif, **options)
    name = f"a{FORMATS[kind][0]}"
    pixels, facts = decode(content, name)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(content)))
    assert np.array_equal(pixels, wanted)
    assert (facts.remarks == {"turned"}) == (turn > 1 and kind != "TIFF")
    seen = look(content, name)
    assert (seen.height, seen.width) == pixels.shape[:2]
    # A form is that of the upright image, and a draft of a JPEG is turned, too.
    small, _ = decode(
        content, name, ImageForm(wanted.shape[0] // 5, wanted.shape[1] // 5, 3)
    )
    assert abs(small.mean((0, 1)) - wanted.mean((0, 1))).max() < 3


def test_the_first_of_several_frames_is_read() -> None:
    frames = [Image.fromarray(SMOOTH), Image.fromarray(SMOOTH[::-1])]
    for kind in ("GIF", "TIFF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        pixels, facts = pixels_of(
            frames[0], kind, save_all=True, append_images=frames[1:], **options
        )
        assert facts.remarks - {"palette"} == {"frames"}
        assert np.array_equal(pixels[..., 0], SMOOTH)


def test_a_name_that_lies_is_said() -> None:
    _, facts = decode(saved(Image.fromarray(GREY), "BMP"), "a.png")
    assert facts.remarks == {"misnamed"}


def test_grey_that_is_saved_in_color_is_seen() -> None:
    assert pixels_of(Image.fromarray(GREY).convert("RGB"))[1].colorless
    assert not pixels_of(Image.fromarray(COLOR))[1].colorless
    assert not pixels_of(Image.fromarray(GREY))[1].colorless


# The form -----------------------------------------------------------------------------


def test_an_image_is_scaled_to_cover_the_form_and_cut_alike() -> None:
    stripes = np.zeros((20, 60, 3), np.uint8)
    stripes[:, 20:40] = 200  # the middle third
    pixels, facts = pixels_of(Image.fromarray(stripes), form=ImageForm(10, 10, 3))
    assert (pixels[:, 1:-1] == 200).all()  # the outer ones see what was cut off
    assert facts.cut == pytest.approx(2 / 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_smaller_is_the_mean_of_what_it_stands_for(kind) -> None:
    generator = np.random.default_rng(1)
    noise = generator.integers(0, 256, (800, 640), np.uint8)
    pixels, facts = pixels_of(Image.fromarray(noise), kind, form=ImageForm(5, 4, 1))
    assert abs(pixels.astype(int) - 127).max() < 5
    assert facts.cut == 0


@pytest.mark.parametrize("side", [45, 90, 100, 200, 350])
def test_a_jpeg_that_is_decoded_smaller_shows_the_same(side) -> None:
    blocks = np.random.default_rng(2).integers(0, 256, (50, 50), np.uint8)
    content = saved(Image.fromarray(np.kron(blocks, np.ones((8, 8), np.uint8))), "JPEG")
    pixels, _ = decode(content, "a.jpg", ImageForm(side, side, 1))
    whole = Image.open(content).resize((side, side), Image.Resampling.BILINEAR)
    assert abs(pixels[..., 0] - np.asarray(whole, np.float64)).mean() < 4


def test_grey_and_color_are_brought_to_each_other() -> None:
    pixels, _ = pixels_of(Image.fromarray(GREY), form=ImageForm(12, 9, 3))
    assert np.array_equal(pixels, np.repeat(GREY[..., None], 3, axis=2))
    pixels, _ = pixels_of(Image.fromarray(COLOR), form=ImageForm(12, 9, 1))
    luminance = COLOR @ np.array([0.299, 0.587, 0.114])
    assert abs(pixels[..., 0] - luminance).max() < 1


@given(st.tuples(*[st.integers(1, 40)] * 4))
def test_any_size_is_brought_to_any_other(sizes) -> None:
    image = Image.fromarray(np.full(sizes[:2], 99, np.uint8))
    pixels, facts = pixels_of(image, form=ImageForm(sizes[2], sizes[3], 1))
    assert pixels.shape == (*sizes[2:], 1)
    assert (pixels == 99).all()
    assert 0 <= facts.cut < 1


# What can't be read -------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png(width: int, height: int, *chunks: bytes) -> io.BytesIO:
    """A PNG that claims a size, with other chunks before its end."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *chunks, chunk(b"IEND", b"")]
    return io.BytesIO(b"".join(parts))


DATA = chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (io.BytesIO(b""), "isn't an image in one of the formats PNG, JPEG"),
        (io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "isn't an image in one of"),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n"), "isn't an image|can't be decoded"),
        (png(9**5, 9**5, DATA), "claims"),
        (png(2**16, 2**16, DATA), "claims more than the 67,108,864 pixels"),
        (png(8193, 8192, DATA), "claims 8192 × 8193 pixels, of 67,108,864 at most"),
        (png(2, 2**16 + 1, DATA), "claims 65537 × 2 pixels.* and 65,536 on a side"),
        (png(0, 5, DATA), "isn't an image|has 5 × 0 pixels"),
        (png(500, 500, DATA), "can't be decoded"),
        (png(500, 500), "can't be decoded"),
    ],
)
def test_what_a_header_claims_is_looked_at_first(file, said) -> None:
    tracemalloc.start()
    with pytest.raises(UnreadableError, match=said):
        decode(file, "a.png", ImageForm(4, 4, 1))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**20


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_was_cut_is_refused(kind) -> None:
    whole = saved(Image.fromarray(np.tile(COLOR, (9, 9, 1))), kind).getvalue()
    for part in (1, 2, 8, 50, 90):
        file = io.BytesIO(whole[: len(whole) * part // 100])
        with pytest.raises(UnreadableError):
            decode(file, f"a{FORMATS[kind][0]}")


@pytest.mark.parametrize("image", [Image.new("F", (4, 4)), Image.new("I", (4, 4))])
def test_pixels_without_a_range_are_refused(image) -> None:
    with pytest.raises(UnreadableError, match="which doesn't say what is white"):
        pixels_of(image, "TIFF")


def test_much_text_beside_the_pixels_is_refused() -> None:
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**25)))
    tracemalloc.start()
    with pytest.raises(UnreadableError):
        decode(png(4, 4, text, DATA), "a.png")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**23


def test_tags_that_share_their_bytes_take_little_memory() -> None:
    tags, size = 20_000, 2**20
    start = 8 + 2 + 12 * tags + 4
    entries = b"".join(
        struct.pack("<HHII", 20_000 + tag, 1, size, start) for tag in range(tags)
    )
    content = b"II*\0" + struct.pack("<IH", 8, tags) + entries + bytes(4 + size)
    tracemalloc.start()
    with pytest.raises(UnreadableError):
        decode(io.BytesIO(content), "a.tif")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**26


def test_the_limit_is_the_one_that_is_stated() -> None:
    assert MOST_PIXELS == 8192 * 8192


def test_every_format_has_a_module_of_pillow() -> None:
    for kind, suffixes in FORMATS.items():
        assert {Image.registered_extensions()[each] for each in suffixes} == {kind}
    assert len(SUFFIXES) == len(set(SUFFIXES))
