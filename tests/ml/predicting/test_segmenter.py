"""What a predictor says of pixels, with a real model and real decoders."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from ml.intake.decoders import DecoderPool
from ml.predicting.segmenter import load_teller
from ml.predicting.service import Predictor
from ml.predicting.shelf import Shelf
from ml.recipes.segment import segment
from ml.reporter import Reporter
from ml.reports.overlays import class_colours
from records.errors import ModelUnreadable
from records.intake import IntakeLimits
from records.orders import Order, OrderedDevice
from records.questions import Model, Options, Picture, Question
from records.specs import parse_spec
from records.specs.earlier import RECORD
from tests.ml.scenes import CLASSES, draw, write_scenes

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The folder of a small segmentation that has ended."""
    spec = {
        "kind": "segment",
        "dataset": "shapes",
        "network": {"name": "unet", "options": {"filters": 8, "depth": 2}},
        **{"crop_size": 32, "crops_per_image": 3, "epochs": 8, "batch_size": 8, "learning_rate": 0.01},
    }
    order = Order(
        job_id=1,
        attempt_number=1,
        spec=spec,
        device=OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=2**30, threads=1),
        inputs={"dataset": write_scenes(tmp_path_factory.mktemp("staged") / "shapes", {"train": 12, "val": 3})},
        folder=tmp_path_factory.mktemp("learned"),
    )
    segment(parse_spec(spec), order, Reporter(lambda event: None))
    return order.folder


@pytest.fixture(scope="module")
def predictor():
    with DecoderPool(IntakeLimits(processes=1, largest_image_pixels=5_000_000, decode_s=10.0)) as pool:
        yield Predictor(pool, Shelf(2))


def ask(predictor, folder, tmp_path, *pictures, **options):
    sent = []
    for number, content in enumerate(pictures):
        (tmp_path / f"{number}.png").write_bytes(content)
        sent.append(Picture(name=f"{number}.png", path=tmp_path / f"{number}.png"))
    model = Model(job_id=1, key=folder.name, files=folder, weights="best")
    return predictor.answer(Question(model=model, pictures=tuple(sent), options=Options(**options)))


def png(pixels):
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def opened(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_the_class_of_every_pixel_is_told(predictor, learned, tmp_path):
    pixels, mask = draw((70, 90), np.random.default_rng(5))
    result = ask(predictor, learned, tmp_path, png(pixels))
    assert result.classes == CLASSES
    (seen,) = result.images
    assert (seen.pixels.width, seen.pixels.height) == (90, 70)
    told = opened(seen.pixels.mask)
    assert (told.mode, told.size, told.info["transparency"]) == ("P", (90, 70), 0)
    said = np.asarray(told)
    assert ((said == mask) | (mask == 255)).mean() > 0.9
    shares = [(said == index).mean() for index in range(3)]
    assert [one.share for one in seen.pixels.shares] == pytest.approx(shares)
    assert [one.name for one in seen.pixels.shares] == list(CLASSES)


def test_the_colours_that_are_told_are_those_of_the_mask_and_the_overlay(predictor, learned, tmp_path):
    pixels = np.full((70, 90, 3), 30, np.uint8)
    pixels[20:40, 30:60] = (220, 60, 60)
    (seen,) = ask(predictor, learned, tmp_path, png(pixels)).images
    told = opened(seen.pixels.mask)
    coloured, said = np.asarray(told.convert("RGB")), np.asarray(told)
    for index, one in enumerate(seen.pixels.shares):
        assert one.colour == "#" + bytes(class_colours(3)[index].tolist()).hex()
        assert (coloured[said == index] == class_colours(3)[index]).all()
    overlay = np.asarray(opened(seen.pixels.overlay), np.float32)
    expected = np.where((said > 0)[..., None], 0.55 * pixels + 0.45 * coloured, pixels)
    assert (said > 0).any()
    assert np.abs(overlay - expected).mean() < 4  # it is a JPEG


def test_grey_images_and_light_turned_round_are_taken(predictor, learned, tmp_path):
    pixels, _ = draw((40, 40), np.random.default_rng(6))
    plain, turned = (
        ask(predictor, learned, tmp_path, png(p), invert=i) for p, i in ((pixels, False), (255 - pixels, True))
    )
    assert plain.images[0].pixels.mask == turned.images[0].pixels.mask
    grey = ask(predictor, learned, tmp_path, png(pixels[..., 0]))
    assert grey.images[0].pixels.width == 40


def test_a_broken_image_has_its_problem_beside_the_others_masks(predictor, learned, tmp_path):
    pixels, _ = draw((40, 40), np.random.default_rng(6))
    result = ask(predictor, learned, tmp_path, b"none", png(pixels))
    assert result.images[0].problem.code == "unreadable"
    assert result.images[1].pixels is not None


def test_an_answer_that_would_be_too_large_says_so(predictor, learned, tmp_path, monkeypatch):
    pixels, _ = draw((40, 40), np.random.default_rng(6))
    monkeypatch.setattr("ml.predicting.service.MOST_ANSWERED_BYTES", 6_000)
    result = ask(predictor, learned, tmp_path, png(pixels), png(pixels), png(pixels))
    problems = [image.problem and image.problem.code for image in result.images]
    assert problems[0] is None
    assert problems[-1] == "answer_full"


def test_larger_images_are_shrunk_and_a_large_one_needs_bounded_memory(predictor, learned, tmp_path):
    """2,000 x 2,000 px stay as they are; what is held besides the image is one row of tiles."""
    large = np.zeros((2000, 2000, 3), np.uint8)
    (seen,) = ask(predictor, learned, tmp_path, png(large)).images
    assert (seen.pixels.width, seen.pixels.height) == (2000, 2000)
    (seen,) = ask(predictor, learned, tmp_path, png(np.zeros((40, 2500, 3), np.uint8))).images
    assert (seen.pixels.width, seen.pixels.height) == (2048, 33)


def test_a_record_of_a_classifier_is_refused(trained):
    with pytest.raises(ModelUnreadable, match="of kind 'train'"):
        load_teller(trained / RECORD, trained / "best.weights.h5")
