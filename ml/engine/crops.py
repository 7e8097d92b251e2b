"""The crops that feed a segmentation: a part of a picture and the same part of its mask. TensorFlow only.

Place, size, turn and mirroring of a crop are one matrix that leads from its pixels back to the picture's: the picture
is interpolated once, bilinearly, and the mask takes the nearest value, so that no class appears that was not there.
Beyond the edge both mirror (Ronneberger, Fischer, Brox 2015, section 2).

Every batch depends on nothing but the seed and its number, so training may go on from any batch with the same bits.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from ml.datasets.scenes import HeldScenes
from ml.engine.colour import recolour
from ml.engine.seeds import COLOUR, CROPPING, derived
from records.specs.segment import SegmentAugmentation

PREFETCHED = 2
MOST_BESIDE = 8
"""Crops that are cut beside each other, where there are so many threads."""
PLAIN = SegmentAugmentation()


class TrainingCrops:
    """Random crops of the pictures to train on, with their masks.

    Args:
        scenes: the pictures.
        size: height and width of a crop.
        batch_size: crops a step; an epoch's last batch holds what is left.
        per_image: crops of each picture in an epoch.
        seed: of their order and of all that is drawn.
        augmentation: None leaves them upright, of their size and colours; only their places are drawn.
        threads: processor threads for the pipeline.
    """

    def __init__(
        self,
        scenes: HeldScenes,
        *,
        size: tuple[int, int],
        batch_size: int,
        per_image: int,
        seed: int,
        augmentation: SegmentAugmentation | None,
        threads: int,
    ) -> None:
        self._scenes = scenes
        self._channels = scenes[0].pixels.shape[-1]
        self._size = size
        self.count = len(scenes) * per_image
        self.batch_size = min(batch_size, self.count)
        self.steps_per_epoch = -(-self.count // self.batch_size)
        self._seed = seed
        self._augmentation = augmentation or PLAIN
        self._threads = threads

    def batches(self, epoch: int, first: int) -> tf.data.Iterator:
        """The batches (crops float32 `[batch, height, width, channels]` of 0 to 255, masks uint8 `[batch, height,
        width]`) of an epoch, counted from 0, from number `first` on."""
        order = tf.constant(np.random.default_rng([self._seed, epoch]).permutation(self.count))

        def crop(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            pixels, mask = self._read(order[number] % len(self._scenes))
            return self._cut(pixels, mask, derived([self._seed, epoch * self.count + number], CROPPING))

        def colour(number: tf.Tensor, crops: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            seed = derived([self._seed, epoch * self.steps_per_epoch + number], COLOUR)
            return recolour(crops[0], self._augmentation.colours, seed), crops[1]

        options = tf.data.Options()
        options.threading.private_threadpool_size = self._threads
        crops = tf.data.Dataset.range(first * self.batch_size, self.count)
        crops = crops.map(crop, num_parallel_calls=min(self._threads, MOST_BESIDE)).batch(self.batch_size)
        numbers = tf.data.Dataset.range(first, self.steps_per_epoch)
        changed = tf.data.Dataset.zip((numbers, crops)).map(colour)
        return iter(changed.prefetch(PREFETCHED).with_options(options))

    def _read(self, row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def read(index: np.int64) -> tuple[np.ndarray, np.ndarray]:
            scene = self._scenes[int(index)]
            return scene.pixels, scene.mask

        pixels, mask = tf.numpy_function(read, [row], [tf.uint8, tf.uint8], stateful=False)
        return tf.ensure_shape(pixels, [None, None, self._channels]), tf.ensure_shape(mask, [None, None])

    def _cut(self, pixels: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        matrix = draw_matrix(tf.shape(mask), self._size, self._augmentation, seed)
        crop = transform(tf.cast(pixels, tf.float32), matrix, self._size, "BILINEAR")
        labels = transform(mask[..., None], matrix, self._size, "NEAREST")[..., 0]
        return crop, labels


def draw_matrix(
    sides: tf.Tensor, size: tuple[int, int], augmentation: SegmentAugmentation, seed: tf.Tensor
) -> tf.Tensor:
    """A matrix `[8]` that leads from a place (x, y) of a crop back to one of the picture.

    Args:
        sides: height and width of the picture, `[2]`.
        size: of the crop.
        augmentation: what may change besides the place.
        seed: `[2]` integers.
    """
    draws = tf.random.stateless_uniform([6], seed)
    low, high = (math.log(scale) for scale in augmentation.scale)
    scale = tf.exp(low + draws[0] * (high - low))
    angle = (2.0 * draws[1] - 1.0) * math.radians(augmentation.rotate_degrees)
    across = _sign(draws[2], augmentation.flip in ("horizontal", "both"))
    down = _sign(draws[3], augmentation.flip in ("vertical", "both"))
    whole, wanted = tf.cast(sides, tf.float32), tf.constant(size, tf.float32) / scale
    # A whole number of pixels, so that a crop that is neither turned nor scaled has the picture's own values.
    corner = tf.where(whole > wanted, tf.floor(draws[4:] * (whole - wanted + 1.0)), tf.floor((whole - wanted) / 2.0))
    corner = tf.where(whole > wanted, tf.minimum(corner, whole - wanted), corner)
    centre_y, centre_x = tf.unstack(corner + (wanted - 1.0) / 2.0)
    return lead_back(size, centre=(centre_y, centre_x), scale=scale, angle=angle, across=across, down=down)


def lead_back(
    size: tuple[int, int],
    *,
    centre: tuple[tf.Tensor, tf.Tensor],
    scale: tf.Tensor,
    angle: tf.Tensor,
    across: tf.Tensor,
    down: tf.Tensor,
) -> tf.Tensor:
    """The matrix `[8]` of a crop about a place of the picture.

    Args:
        size: height and width of the crop.
        centre: y and x in the picture of the crop's middle.
        scale: above 1 the content grows.
        angle: anticlockwise as seen, in radians.
        across: -1 mirrors left to right, else 1.
        down: -1 turns upside down, else 1.
    """
    middle_y, middle_x = (size[0] - 1) / 2, (size[1] - 1) / 2
    cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
    x_of_x, x_of_y, y_of_x, y_of_y = cos * across, -sin * down, sin * across, cos * down
    zero = tf.zeros_like(cos)
    return tf.stack(
        [
            *(x_of_x, x_of_y, centre[1] - x_of_x * middle_x - x_of_y * middle_y),
            *(y_of_x, y_of_y, centre[0] - y_of_x * middle_x - y_of_y * middle_y),
            *(zero, zero),
        ]
    )


def transform(image: tf.Tensor, matrix: tf.Tensor, size: tuple[int, int], interpolation: str) -> tf.Tensor:
    """A crop `[height, width, channels]` of an image of any size."""
    crop = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[None],
        transforms=matrix[None],
        output_shape=list(size),
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode="REFLECT",
    )[0]
    return tf.ensure_shape(crop, [*size, image.shape[-1]])


def _sign(draw: tf.Tensor, wanted: bool) -> tf.Tensor:
    return tf.where(draw < (0.5 if wanted else 0.0), -1.0, 1.0)
