"""Crops and their masks move together, and follow from the seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from ml.datasets.scenes import HeldScenes, list_scenes
from ml.engine.crops import TrainingCrops, draw_matrix, lead_back, transform
from records.specs.segment import SegmentAugmentation
from tests.ml.scenes import write_scenes

ALL = SegmentAugmentation(flip="both", rotate_degrees=30, scale=(0.5, 2.0), brightness=0.2, hue_degrees=20)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    staged = list_scenes(write_scenes(tmp_path_factory.mktemp("crops") / "staged", {"train": 5}))
    return HeldScenes(staged, np.arange(5), channels=3, threads=1)


def crops_of(scenes, *, size=(32, 32), augmentation=None, seed=3, threads=2, batch_size=4):
    return TrainingCrops(
        scenes, size=size, batch_size=batch_size, per_image=2, seed=seed, augmentation=augmentation, threads=threads
    )


def drain(batches):
    return [(crops.numpy(), masks.numpy()) for crops, masks in batches]


def test_a_plain_crop_is_a_part_of_its_picture_and_of_its_mask(scenes):
    for crops, masks in drain(crops_of(scenes, size=(16, 24)).batches(0, 0)):
        for crop, mask in zip(crops, masks, strict=True):
            assert any(is_part(crop, mask, scenes[index]) for index in range(len(scenes)))


def is_part(crop, mask, scene):
    height, width = mask.shape
    return any(
        np.array_equal(crop, scene.pixels[top : top + height, left : left + width])
        and np.array_equal(mask, scene.mask[top : top + height, left : left + width])
        for top in range(scene.mask.shape[0] - height + 1)
        for left in range(scene.mask.shape[1] - width + 1)
    )


def test_every_place_is_drawn_and_none_beyond_the_edge():
    sides, tops = tf.constant([20, 30]), set()
    for number in range(300):
        matrix = draw_matrix(sides, (16, 30), SegmentAugmentation(), tf.constant([0, number])).numpy()
        assert matrix[2] == 0
        tops.add(float(matrix[5]))
    assert tops == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_a_picture_smaller_than_the_crop_mirrors_at_its_edges():
    ramp = np.arange(6, dtype=np.float32).reshape(1, 6, 1)
    matrix = draw_matrix(tf.constant([1, 6]), (1, 10), SegmentAugmentation(), tf.constant([0, 0]))
    assert transform(tf.constant(ramp), matrix, (1, 10), "BILINEAR").numpy().ravel().tolist() == [
        *(1, 0, 0, 1, 2, 3, 4, 5, 5, 4),
    ]


def turned(pixels, **changes):
    plain = {"centre": (tf.constant(1.5), tf.constant(1.5)), "scale": 1.0, "angle": 0.0, "across": 1.0, "down": 1.0}
    given = {name: value if name == "centre" else tf.constant(value) for name, value in (plain | changes).items()}
    return transform(tf.constant(pixels), lead_back((4, 4), **given), (4, 4), "NEAREST").numpy()


def test_mirrors_turns_and_scales_are_what_they_say():
    pixels = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    np.testing.assert_array_equal(turned(pixels), pixels)
    np.testing.assert_array_equal(turned(pixels, across=-1.0), pixels[:, ::-1])
    np.testing.assert_array_equal(turned(pixels, down=-1.0), pixels[::-1])
    np.testing.assert_array_equal(turned(pixels, angle=math.pi / 2), np.rot90(pixels))
    np.testing.assert_array_equal(turned(pixels, scale=2.0), pixels[1:3, 1:3].repeat(2, axis=0).repeat(2, axis=1))


def test_masks_move_with_their_pictures_and_no_class_appears_between_two(scenes):
    """The red disc is where the mask says 1, and the green square where it says 2, however they were moved."""
    moving = ALL.model_copy(update={"brightness": 0.0, "hue_degrees": 0.0})
    for crops, masks in drain(crops_of(scenes, augmentation=moving).batches(0, 0)):
        assert set(np.unique(masks)) <= {0, 1, 2, 255}
        red, green = (crops[..., 0] > 140) & (crops[..., 1] < 100), (crops[..., 1] > 140) & (crops[..., 0] < 100)
        for seen, index in ((red, 1), (green, 2)):
            known = masks != 255
            differing = (seen != (masks == index)) & known
            assert differing.sum() < 0.25 * max(40, (masks == index).sum())  # but for blurred edges


def test_colours_change_and_masks_do_not(scenes):
    plain = drain(crops_of(scenes).batches(0, 0))
    coloured = drain(crops_of(scenes, augmentation=SegmentAugmentation(brightness=0.5)).batches(0, 0))
    for (crops, masks), (others, same) in zip(plain, coloured, strict=True):
        assert np.array_equal(masks, same)
        assert not np.allclose(crops, others)


def test_a_batch_depends_on_the_seed_and_its_number_alone(scenes):
    whole = drain(crops_of(scenes, augmentation=ALL).batches(1, 0))
    rest = drain(crops_of(scenes, augmentation=ALL, threads=1).batches(1, 1))
    assert len(whole) == 3
    for one, other in zip(whole[1:], rest, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    again = drain(crops_of(scenes, augmentation=ALL, seed=4).batches(1, 0))
    assert not np.array_equal(whole[0][0], again[0][0])
    following = drain(crops_of(scenes, augmentation=ALL).batches(2, 0))
    assert not np.array_equal(whole[0][0], following[0][0])


def test_an_epoch_shows_every_picture_as_often_as_asked(scenes):
    crops = crops_of(scenes, batch_size=100)
    assert (crops.count, crops.batch_size, crops.steps_per_epoch) == (10, 10, 1)
    ((images, _),) = drain(crops.batches(0, 0))
    assert len(images) == 10
