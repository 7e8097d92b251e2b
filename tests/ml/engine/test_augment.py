"""Augmentation moves pixels to where it says, and equal seeds move them equally."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from ml.engine.augment import augment, warp
from ml.engine.steps import TrainingImages
from records.specs.train import Augmentation

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


def training_images(augmentation: Augmentation | None = None) -> TrainingImages:
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    return TrainingImages(images, np.arange(10), batch_size=4, seed=3, augmentation=augmentation, threads=1)


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


@pytest.mark.parametrize("augmentation", [None, Augmentation(shift=0.3)])
def test_an_epoch_that_begins_later_deals_what_was_left(augmentation: Augmentation | None) -> None:
    whole = [images.numpy() for images, _ in training_images(augmentation).batches(2, 0)]
    rest = [images.numpy() for images, _ in training_images(augmentation).batches(2, 1)]
    assert len(rest) == 2
    for one, other in zip(whole[1:], rest, strict=True):
        np.testing.assert_array_equal(one, other)
