"""Two images in one, and labels that say so."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ml.engine.mixing import cut_mix, draw_shares, mix, mix_labels, mix_up
from records.specs.augmentation import Augmentation

BRIGHT = tf.constant(np.arange(1, 5, dtype=np.float32)[:, None, None, None] * np.ones((1, 8, 10, 1), np.float32))
"""Four images, all of one value: 1, 2, 3 and 4."""
OTHER = tf.constant([1, 0, 3, 2])


def test_mixup_adds_both_by_their_shares():
    mixed = mix_up(BRIGHT, OTHER, tf.constant([1.0, 0.25, 0.5, 0.0])).numpy()
    assert mixed[:, 0, 0, 0].tolist() == [1.0, 2 * 0.25 + 1 * 0.75, 3.5, 3.0]


def test_labels_are_mixed_like_the_images():
    labels = mix_labels(tf.constant([2, 0, 1, 1]), OTHER, tf.constant([1.0, 0.25, 0.5, 0.0]), classes=3).numpy()
    np.testing.assert_allclose(labels, [[0, 0, 1], [0.25, 0, 0.75], [0, 1, 0], [0, 1, 0]])


def test_cutmix_pastes_a_box_of_the_images_shape_and_tells_the_share_that_stayed():
    # a quarter of the area: 4 x 5 px about the centre
    pasted, kept = cut_mix(BRIGHT, OTHER, tf.fill([4], 0.75), tf.fill([4, 2], 0.5))
    image = pasted.numpy()[0, ..., 0]
    assert (image == 2).sum() == 20
    assert (image[2:6, 3:8] == 2).all()
    np.testing.assert_allclose(kept, [0.75] * 4)


def test_a_box_beyond_the_border_is_cut_off_and_its_label_weighs_less():
    pasted, kept = cut_mix(BRIGHT, OTHER, tf.fill([4], 0.75), tf.constant([[0.0, 0.0]] * 4))
    image = pasted.numpy()[2, ..., 0]
    assert (image[:2, :3] == 4).all()  # 2 x 2.5 px, rounded, of 4 x 5
    assert (image == 4).sum() == 6
    np.testing.assert_allclose(kept, [1 - 6 / 80] * 4, rtol=1e-6)


@pytest.mark.parametrize("augmentation", [Augmentation(mixup=0.4), Augmentation(cutmix=1.0)])
def test_the_weight_of_a_label_is_the_share_of_the_image(augmentation):
    for step in range(20):
        images, labels = mix(BRIGHT, tf.range(4), augmentation, tf.constant([0, step]), classes=4)
        # every image has one value alone, so its mean says how much of each is in it
        said = tf.linalg.matvec(labels, [1.0, 2.0, 3.0, 4.0])
        np.testing.assert_allclose(tf.reduce_mean(images, axis=(1, 2, 3)), said, rtol=1e-5)
        np.testing.assert_allclose(tf.reduce_sum(labels, axis=1), np.ones(4), rtol=1e-6)


def test_with_both_each_batch_gets_one_of_them():
    kinds = []
    for step in range(40):
        images, _ = mix(BRIGHT, tf.range(4), Augmentation(mixup=1.0, cutmix=1.0), tf.constant([0, step]), classes=4)
        kinds.append(all(float(value).is_integer() for value in images.numpy().ravel()))
    assert 10 < sum(kinds) < 30  # pasted pixels stay whole numbers, blended ones do not


def test_shares_follow_the_beta_distribution():
    for concentration in (0.2, 1.0, 5.0):
        shares = draw_shares(concentration, tf.constant(20_000), tf.constant([1, 2])).numpy()
        assert shares.mean() == pytest.approx(0.5, abs=0.01)
        assert shares.var() == pytest.approx(1 / (4 * (2 * concentration + 1)), rel=0.05)
