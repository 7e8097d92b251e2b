"""Keeping the colours of the content."""

from __future__ import annotations

import numpy as np

from ml.style.colours import TO_YIQ, match_colours, with_colours_of


def picture(seed, low=0.3, high=0.7):
    return np.random.default_rng(seed).uniform(low, high, (20, 30, 3)).astype(np.float32)


def test_matched_colours_have_the_mean_and_the_covariance_of_the_others():
    like = picture(1) @ np.array([[0.8, 0.1, 0], [0, 0.7, 0.2], [0, 0, 0.9]], np.float32)
    matched = match_colours(picture(0), like).reshape(-1, 3)
    np.testing.assert_allclose(matched.mean(axis=0), like.reshape(-1, 3).mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(np.cov(matched, rowvar=False), np.cov(like.reshape(-1, 3), rowvar=False), atol=1e-3)


def test_a_picture_matched_to_itself_stays():
    np.testing.assert_allclose(match_colours(picture(0), picture(0)), picture(0), atol=1e-5)


def test_a_plain_picture_can_be_matched_too():
    plain = np.full((4, 4, 3), 0.5, np.float32)
    assert np.isfinite(match_colours(plain, picture(0))).all()
    assert np.isfinite(match_colours(picture(0), plain)).all()


def test_colours_come_from_one_and_light_from_the_other():
    mixed = with_colours_of(picture(0), picture(1, 0.45, 0.55))
    light, colour = (mixed @ TO_YIQ.T.astype(np.float32))[..., 0], (mixed @ TO_YIQ.T.astype(np.float32))[..., 1:]
    np.testing.assert_allclose(light, (picture(0) @ TO_YIQ.T.astype(np.float32))[..., 0], atol=1e-4)
    np.testing.assert_allclose(colour, (picture(1, 0.45, 0.55) @ TO_YIQ.T.astype(np.float32))[..., 1:], atol=1e-4)
