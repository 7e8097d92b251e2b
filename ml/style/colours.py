"""Keeping the colours of the content (Gatys, Bethge, Hertzmann, Shechtman: Preserving color in neural artistic style
transfer, 2016). Only numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
"""`[height, width, 3]`, red, green, blue, 0 to 1."""

TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], np.float64)
"""Rows: luminance, and two axes of colour (NTSC, 1953)."""


def match_colours(image: Image, like: Image) -> Image:
    """The image with the mean and the covariance of another's colours (section 4.1, by the roots of covariances).

    The style image is recoloured so before it is looked at. Values may leave 0 to 1 a little; they are clipped.
    """
    mean, root = _moments(image)
    wanted_mean, wanted_root = _moments(like)
    moved = (image.reshape(-1, 3).astype(np.float64) - mean) @ np.linalg.inv(root) @ wanted_root + wanted_mean
    return np.clip(moved, 0, 1).astype(np.float32).reshape(image.shape)


def with_colours_of(image: Image, colours: Image) -> Image:
    """The luminance of one image with the colours of another of its size (section 4.2)."""
    yiq = image.astype(np.float64) @ TO_YIQ.T
    kept = colours.astype(np.float64) @ TO_YIQ.T
    mixed = np.concatenate([yiq[..., :1], kept[..., 1:]], axis=-1)
    return np.clip(mixed @ np.linalg.inv(TO_YIQ).T, 0, 1).astype(np.float32)


def _moments(image: Image) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean colour, and the symmetric root of the covariance."""
    pixels = image.reshape(-1, 3).astype(np.float64)
    covariance = np.cov(pixels, rowvar=False) + 1e-8 * np.eye(3)
    values, vectors = np.linalg.eigh(covariance)
    return pixels.mean(axis=0), vectors @ np.diag(np.sqrt(values)) @ vectors.T
