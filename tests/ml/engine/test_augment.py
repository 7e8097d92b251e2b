"""Augmentation moves pixels to where it says, and equal seeds move them equally."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from ml.datasets import Part
from ml.engine.augment import augment, warp
from ml.engine.images import TrainingImages
from records.specs.augmentation import Augmentation, Crop, Elastic, Erase, RandAugment

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(0, 256, (3, 8, 10, 2)).astype(np.float32)


def warped(
    *, down_px: float = 0, right_px: float = 0, angle: float = 0, zoom: float = 1, images: np.ndarray = IMAGES
) -> np.ndarray:
    def each(value: float) -> tf.Tensor:
        return tf.fill([len(images)], float(value))

    moved = warp(
        tf.constant(images), down_px=each(down_px), right_px=each(right_px), angle=each(angle), zoom=each(zoom)
    )
    return moved.numpy()


def test_no_augmentation_gives_the_same_pixels() -> None:
    np.testing.assert_array_equal(warped(), IMAGES)
    np.testing.assert_array_equal(augment(tf.constant(IMAGES), Augmentation(), tf.constant([1, 2])).numpy(), IMAGES)


def test_a_shift_moves_the_content_down_and_right() -> None:
    moved = warped(down_px=2, right_px=3)
    np.testing.assert_allclose(moved[:, 2:, 3:], IMAGES[:, :-2, :-3], atol=1e-3)


def test_what_comes_in_from_beyond_the_border_mirrors_the_image() -> None:
    moved = warped(right_px=2)
    np.testing.assert_allclose(moved[:, :, :2], IMAGES[:, :, 1::-1], atol=1e-3)


def test_a_quarter_turn_is_anticlockwise() -> None:
    square = IMAGES[:, :, :8]
    np.testing.assert_allclose(warped(angle=math.pi / 2, images=square), np.rot90(square, axes=(1, 2)), atol=0.05)


def test_zoom_doubles_the_size_about_the_centre() -> None:
    image = np.zeros((1, 9, 9, 1), np.float32)
    image[0, 4, 4:6] = 100
    # The centre is (4, 4): what was one pixel beside it is two beside it now, and between lies the mean.
    np.testing.assert_allclose(warped(zoom=2, images=image)[0, 4, :, 0], [0, 0, 0, 50, 100, 100, 100, 50, 0])


def test_equal_seeds_give_equal_draws_and_others_do_not() -> None:
    spec = Augmentation(shift=0.2, rotate_degrees=20, zoom=0.2)
    one, same, other = (augment(tf.constant(IMAGES), spec, tf.constant([5, k])).numpy() for k in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


EVERYTHING = Augmentation(
    flip="both",
    crop=Crop(scale=(0.3, 1.0)),
    shift=0.1,
    rotate_degrees=10,
    zoom=0.1,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    hue_degrees=20,
    elastic=Elastic(),
    erase=Erase(),
    randaugment=RandAugment(),
)
QUICK = EVERYTHING.model_copy(update={"randaugment": None})
"""All but the one whose graph takes seconds to trace."""
EACH = {
    name: Augmentation(**{name: getattr(EVERYTHING, name)})
    for name in Augmentation.model_fields
    if name not in ("mixup", "cutmix")
}
COLOURED = GENERATOR.integers(0, 256, (3, 12, 10, 3), np.uint8)


@pytest.mark.parametrize("augmentation", [*EACH.values(), EVERYTHING], ids=[*EACH, "everything"])
def test_each_change_gives_the_same_eagerly_and_inside_tf_data(augmentation):
    seed = tf.constant([3, 4])
    eager = augment(tf.constant(COLOURED), augmentation, seed, size=(8, 8) if augmentation.crop else None).numpy()
    source = tf.data.Dataset.from_tensors(COLOURED)
    mapped = source.map(
        lambda images: augment(
            tf.ensure_shape(images, [None, 12, 10, 3]), augmentation, seed, size=(8, 8) if augmentation.crop else None
        )
    )
    (inside,) = mapped.as_numpy_iterator()
    np.testing.assert_allclose(inside, eager, atol=1e-3)
    assert inside.shape == (3, *((8, 8) if augmentation.crop else (12, 10)), 3)
    assert inside.dtype == np.float32
    assert inside.min() >= 0
    assert inside.max() <= 255.01
    if augmentation.crop is None:
        assert abs(eager - COLOURED).max() > 1


def test_a_change_that_is_switched_on_leaves_the_draws_of_the_others():
    turned = Augmentation(flip="horizontal", brightness=0.5)
    brighter = Augmentation(brightness=0.5)
    grey = tf.fill([6, 4, 4, 3], 100.0)
    np.testing.assert_array_equal(augment(grey, turned, [1, 2]), augment(grey, brighter, [1, 2]))


# ── dealt ────────────────────────────────────────────────────────────────────────────────────────────────────


def training_images(augmentation: Augmentation | None = None) -> TrainingImages:
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    part = Part.of(images, np.arange(10))
    return TrainingImages(part, batch_size=4, seed=3, augmentation=augmentation, threads=1)


def test_an_epoch_deals_every_image_once_with_its_label_and_another_epoch_in_another_order() -> None:
    def dealt(epoch: int) -> list[int]:
        batches = [(images.numpy(), labels.numpy()) for images, labels in training_images().batches(epoch, 0)]
        assert [len(labels) for _, labels in batches] == [4, 4, 2]
        for images, labels in batches:
            np.testing.assert_array_equal(images[:, 0, 0, 0], labels)
        return [int(label) for _, labels in batches for label in labels]

    assert sorted(dealt(0)) == list(range(10))
    assert dealt(0) == dealt(0)
    assert dealt(0) != dealt(1)


@pytest.mark.parametrize("augmentation", [None, Augmentation(shift=0.3), QUICK])
def test_an_epoch_that_begins_later_deals_what_was_left(augmentation: Augmentation | None) -> None:
    whole = [images.numpy() for images, _ in training_images(augmentation).batches(2, 0)]
    rest = [images.numpy() for images, _ in training_images(augmentation).batches(2, 1)]
    assert len(rest) == 2
    for one, other in zip(whole[1:], rest, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_augmentation_that_is_off_leaves_every_byte():
    plain = [images.numpy() for images, _ in training_images().batches(1, 0)]
    off = [images.numpy() for images, _ in training_images(Augmentation()).batches(1, 0)]
    assert [batch.tobytes() for batch in off] == [batch.tobytes() for batch in plain]
    assert off[0].dtype == np.uint8


def photographs(**changes) -> TrainingImages:
    pictures = np.random.default_rng(1).integers(0, 256, (12, 16, 16, 3), np.uint8)
    rows, aspects = np.array([1, 3, 4, 7, 8, 11]), np.linspace(0.5, 2, 6, dtype=np.float32)
    part = Part(pictures, rows, rows % 3, aspects)
    given = {"augmentation": QUICK, "size": (12, 14), "classes": 3} | changes
    return TrainingImages(part, batch_size=4, seed=3, threads=2, **given)


def test_images_mapped_from_a_file_come_out_as_those_in_memory(monkeypatch):
    def dealt():
        return [(images.numpy(), labels.numpy()) for images, labels in photographs().batches(0, 0)]

    held = dealt()
    monkeypatch.setattr("ml.engine.images.HELD_BYTES", 0)
    for (one, labels), (other, other_labels) in zip(held, dealt(), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(labels, other_labels)
    assert held[0][0].shape == (4, 12, 14, 3)


def test_mixed_labels_are_shares_of_the_classes():
    mixing = QUICK.model_copy(update={"mixup": 0.3, "cutmix": 1.0})
    for images, labels in photographs(augmentation=mixing).batches(0, 0):
        assert labels.shape == (len(images), 3)
        np.testing.assert_allclose(labels.numpy().sum(axis=1), 1, rtol=1e-6)
    again = [labels.numpy() for _, labels in photographs(augmentation=mixing).batches(0, 1)]
    whole = [labels.numpy() for _, labels in photographs(augmentation=mixing).batches(0, 0)]
    np.testing.assert_array_equal(again[0], whole[1])
