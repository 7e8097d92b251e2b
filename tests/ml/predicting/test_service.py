"""A predictor's answers, with a real model and real decoders; and its life as a child is in tests/worker."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from ml.child import as_job_error
from ml.datasets import load_images
from ml.intake.decoders import DecoderPool
from ml.predicting.service import Predictor, serve
from ml.predicting.shelf import Shelf
from records.intake import IntakeLimits
from records.orders import OrderedDevice
from records.questions import Answer, Model, Options, Picture, PredictorOrder, Question
from tests.api.pages.filling import png as grey_png

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21

CPU = OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1)
PIXELS = 40_000


@pytest.fixture(scope="module")
def digits(tiny_mnist):
    """Test images of the tiny dataset; that of class c is the number c."""
    data = load_images("mnist", tiny_mnist)
    return [data.test_images[np.flatnonzero(data.test_labels == c)[0], ..., 0] for c in range(10)]


@pytest.fixture(scope="module")
def decoders():
    with DecoderPool(IntakeLimits(processes=1, largest_image_pixels=PIXELS, decode_s=5.0)) as pool:
        yield pool


@pytest.fixture(scope="module")
def predictor(decoders):
    return Predictor(decoders, Shelf(2))


@pytest.fixture
def picture(tmp_path):
    """`picture(name, bytes)`: an image as it came."""

    def write(name, content):
        (tmp_path / name).write_bytes(content)
        return Picture(name=name, path=tmp_path / name)

    return write


def encode(pixels, form="PNG", **how):
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, form, **how)
    return written.getvalue()


def ask(trained, *pictures, **options):
    model = Model(job_id=1, key="one", files=trained, weights="best")
    return Question(model=model, pictures=pictures, options=Options(**options))


def best(result):
    return [image.classes[0].name if image.classes else None for image in result.images]


def test_images_are_told_in_their_order(predictor, trained, picture, digits):
    pictures = [picture(f"{c}.png", encode(digits[c])) for c in (7, 0, 3)]
    result = predictor.answer(ask(trained, *pictures))
    assert result.classes == tuple("0123456789")
    assert [image.name for image in result.images] == ["7.png", "0.png", "3.png"]
    assert best(result) == ["7", "0", "3"]


def test_the_likeliest_classes_come_first(predictor, trained, picture, digits):
    few, many = (predictor.answer(ask(trained, picture("a.png", encode(digits[4])), top=top)) for top in (2, 1000))
    assert len(few.images[0].classes) == 2
    likely = [one.probability for one in many.images[0].classes]
    assert likely == sorted(likely, reverse=True)
    assert sum(likely) == pytest.approx(1.0, abs=1e-5)
    assert {one.name for one in many.images[0].classes} == set("0123456789")
    assert many.images[0].classes[:2] == few.images[0].classes


def test_images_of_other_sizes_and_colours_are_brought_to_the_networks(predictor, trained, picture, digits):
    large = np.kron(digits[6], np.ones((5, 5), np.uint8))
    colour = np.stack([large] * 3, axis=-1)
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright: shown turned clockwise by 90 degrees
    pictures = [
        picture("grey.png", encode(large)),
        picture("colour.jpg", encode(colour, "JPEG", quality=95)),
        picture("turned.jpg", encode(np.rot90(colour), "JPEG", quality=95, exif=turned.tobytes())),
        picture("palette.gif", encode(large, "GIF")),
        picture("alpha.png", encode(np.dstack([colour, np.full(large.shape, 255, np.uint8)]))),
    ]
    assert best(predictor.answer(ask(trained, *pictures))) == ["6"] * 5


def test_dark_ink_on_paper_is_turned_round_when_asked(predictor, trained, picture, digits):
    paper = picture("paper.png", encode(255 - digits[2]))
    plain = predictor.answer(ask(trained, picture("a.png", encode(digits[2]))))
    turned = predictor.answer(ask(trained, paper, invert=True))
    assert turned.images[0].classes == plain.images[0].classes
    assert predictor.answer(ask(trained, paper)).images[0].classes != plain.images[0].classes


def test_one_bad_image_does_not_lose_the_others(predictor, trained, picture, digits, tmp_path):
    good = encode(digits[5])
    pictures = [
        picture("first.png", good),
        picture("empty.png", b""),
        picture("text.png", b"GIF, but not really"),
        picture("cut.png", good[:60]),
        Picture(name="gone.png", path=tmp_path / "gone.png"),
        picture("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        picture("last.png", good),
    ]
    result = predictor.answer(ask(trained, *pictures))
    assert best(result) == ["5", None, None, None, None, None, "5"]
    bad = {image.name: image.problem.code for image in result.images if image.problem}
    assert bad == {
        "empty.png": "unreadable",
        "text.png": "unreadable",
        "cut.png": "truncated",
        "gone.png": "unreadable",
        "drawing.svg": "format_not_taken",
    }


def test_a_bomb_is_refused_by_its_header(predictor, trained, picture):
    square = grey_png(201, 200)
    lie = square[:16] + (60_000).to_bytes(4, "big") + (60_000).to_bytes(4, "big") + square[24:29]
    lie += zlib.crc32(lie[12:29]).to_bytes(4, "big") + square[33:]
    pictures = [picture("one too many.png", square), picture("bomb.png", lie), picture("good.png", grey_png(200, 200))]
    result = predictor.answer(ask(trained, *pictures))
    assert [image.problem.code if image.problem else None for image in result.images] == [
        "image_too_large",
        "image_too_large",
        None,
    ]


def test_a_question_of_bad_images_alone_is_answered_too(predictor, trained, picture):
    result = predictor.answer(ask(trained, picture("empty.png", b"")))
    assert [image.problem.code for image in result.images] == ["unreadable"]


def test_each_line_is_answered_and_a_question_that_fails_ends_nothing(trained, picture, digits, tmp_path):
    pictures = (picture("a.png", encode(digits[1])), picture("one too many.png", grey_png(201, 200)))
    good = ask(trained, *pictures)
    absent = Model(job_id=2, key="two", files=tmp_path, weights="best")
    missing = Model(job_id=3, key="three", files=None, weights="best")
    lines = [
        good.model_dump_json().encode(),
        good.model_copy(update={"model": absent}).model_dump_json().encode(),
        good.model_copy(update={"model": missing}).model_dump_json().encode(),
        b"nonsense",
        good.model_copy(update={"model": good.model.model_copy(update={"files": None})}).model_dump_json().encode(),
    ]
    answers: list[Answer] = []
    serve(PredictorOrder(device=CPU, models=2, image_pixels=PIXELS), lines, answers.append, as_job_error=as_job_error)
    assert [answer.trouble.code if answer.trouble else None for answer in answers] == [
        None,
        "model_unreadable",
        "model_unreadable",
        "recipe_failed",
        None,
    ]
    assert best(answers[4].result) == ["1", None]
    assert answers[4].result.images[1].problem.code == "image_too_large", "the order's limit holds"
    assert all(answer.held == ("one",) for answer in answers)
    assert all(answer.resident_bytes > 10**7 for answer in answers)
