"""From photographs in files to pictures of one size. TensorFlow only.

A JPEG much larger than its frame is shrunk by 2, 4 or 8 while it is decoded, in the frequency domain, as libjpeg does;
the rest is bilinear, with a wider filter where the step is still 2 or more, so that nothing aliases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ml.datasets.photos import PhotoSet
from ml.datasets.ready import ReadyPictures
from ml.sizing import SHOWN, Sizing
from records.errors import DatasetUnreadable

RATIOS = (1, 2, 4, 8)
BATCH = 32
"""Pictures between two looks at whether to stop."""


@dataclass(frozen=True)
class Cut:
    """How one photograph comes into the frame."""

    is_png: bool
    ratio: int
    """Both sides are divided by this while a JPEG is decoded."""
    top: int
    left: int
    height: int
    width: int
    """The part that is shown, in pixels after that division."""


def ready_pictures(
    photos: PhotoSet,
    rows: NDArray[np.int64],
    sizing: Sizing,
    *,
    cache: Path,
    threads: int,
    check: Callable[[], None],
    tell: Callable[[str], None],
) -> NDArray[np.uint8]:
    """The pictures of a dataset, mapped: `[all photographs, height, width, channels]`, of which these rows are filled.

    Args:
        photos: the dataset.
        rows: which to make ready; those that lie in the cache are not decoded again.
        sizing: the frame.
        cache: a folder that jobs share.
        threads: that decode.
        check: called every now and then; raises to give up.
        tell: hears, where there is something to do, what.

    Raises:
        DatasetUnreadable: a file cannot be decoded.
        DiskFull: there is no room for the pictures.
    """
    with ReadyPictures(cache, digest=photos.digest, sizing=sizing, count=len(photos.files)) as ready:
        with ready.filling(check):
            missing, done = ready.missing(rows), 0
            if len(missing):
                tell(f"Bringing {len(missing):,} photographs to {sizing.width} x {sizing.height} px …")
            for pictures in decode_photos(photos, missing, sizing, threads=threads):
                ready.write(missing[done : done + len(pictures)], pictures)
                done += len(pictures)
                check()
        if done:
            ready.keep()
        return ready.read()


def decode_photos(
    photos: PhotoSet, rows: NDArray[np.int64], sizing: Sizing, *, threads: int
) -> Iterator[NDArray[np.uint8]]:
    """Batches of pictures `[some, height, width, channels]` of these rows, in their order.

    Raises:
        DatasetUnreadable: a file cannot be decoded.
    """
    if not len(rows):
        return
    names = [str(photos.files[row]) for row in rows]
    cuts = [plan_cut(photos.files[row], *photos.sizes[row], sizing) for row in rows]
    options = tf.data.Options()
    options.threading.private_threadpool_size = threads
    options.threading.max_intra_op_parallelism = 1
    sources = tf.data.Dataset.from_tensor_slices((names, *_columns(cuts)))
    pictures = sources.map(
        lambda name, branch, window: _bring(tf.io.read_file(name), branch, window, sizing),
        num_parallel_calls=threads,
    )
    try:
        yield from pictures.batch(BATCH).prefetch(2).with_options(options).as_numpy_iterator()
    except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
        raise _named(photos, rows, cuts, sizing) from error


class ShownPhotos:
    """Photographs as a sequence of pictures of one size: a slice of it is decoded, as evaluation shows them.

    Args:
        photos: the dataset.
        rows: which of them, in this order.
        sizing: the frame, as of `ml.sizing.evaluation_sizing`.
        threads: that decode.
    """

    def __init__(self, photos: PhotoSet, rows: NDArray[np.int64], sizing: Sizing, *, threads: int) -> None:
        self._photos, self._rows, self._sizing, self._threads = photos, rows, sizing, threads

    def __getitem__(self, part: slice) -> NDArray[np.uint8]:
        """`[some, height, width, channels]`. Raises DatasetUnreadable where a file cannot be decoded."""
        return np.concatenate(list(decode_photos(self._photos, self._rows[part], self._sizing, threads=self._threads)))


def bring_photo(data: bytes, *, is_png: bool, size: tuple[int, int], sizing: Sizing) -> NDArray[np.uint8]:
    """One photograph in the frame, exactly as the pictures that a training saw.

    Args:
        data: of a clean JPEG or PNG file.
        is_png: which of both.
        size: its height and width, in pixels.
        sizing: the frame.
    """
    (branch,), (window,) = _columns([_plan(is_png, *size, sizing)])
    return _bring(tf.constant(data), tf.constant(branch), tf.constant(window), sizing).numpy()


def plan_cut(file: Path, height: int, width: int, sizing: Sizing) -> Cut:
    """How a photograph of so many pixels comes into the frame."""
    return _plan(file.suffix.lower() == ".png", int(height), int(width), sizing)


def _plan(is_png: bool, height: int, width: int, sizing: Sizing) -> Cut:
    shown = (height, width) if sizing.whole else _centre(height, width, sizing)
    step = min(shown[0] / sizing.height, shown[1] / sizing.width)
    ratio = 1 if is_png else max(ratio for ratio in RATIOS if ratio <= max(1.0, step))
    whole = (-(-height // ratio), -(-width // ratio))
    part = tuple(min(side, max(1, round(wanted / ratio))) for side, wanted in zip(whole, shown, strict=True))
    return Cut(is_png, ratio, (whole[0] - part[0]) // 2, (whole[1] - part[1]) // 2, *part)


def _centre(height: int, width: int, sizing: Sizing) -> tuple[float, float]:
    """Height and width of the middle that evaluation shows: the frame's shape, as large as fits, times `SHOWN`."""
    scale = SHOWN * min(height / sizing.height, width / sizing.width)
    return scale * sizing.height, scale * sizing.width


def _columns(cuts: Sequence[Cut]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For each: the branch of `_bring`, and the window."""
    branches = [len(RATIOS) if cut.is_png else RATIOS.index(cut.ratio) for cut in cuts]
    windows = [(cut.top, cut.left, cut.height, cut.width) for cut in cuts]
    return np.array(branches, np.int32), np.array(windows, np.int32)


def _bring(data: tf.Tensor, branch: tf.Tensor, window: tf.Tensor, sizing: Sizing) -> tf.Tensor:
    """uint8 `[height, width, channels]`: decoded, cut and resized."""

    def from_jpeg(ratio: int) -> Callable[[], tf.Tensor]:
        return lambda: tf.io.decode_and_crop_jpeg(data, window, channels=sizing.channels, ratio=ratio)

    def from_png() -> tf.Tensor:
        whole = tf.io.decode_png(data, channels=sizing.channels)
        return tf.slice(whole, [window[0], window[1], 0], [window[2], window[3], -1])

    part = tf.switch_case(branch, [*map(from_jpeg, RATIOS), from_png])
    part.set_shape([None, None, sizing.channels])
    return tf.ensure_shape(_resize(part, window, sizing), sizing.shape)


def _resize(part: tf.Tensor, window: tf.Tensor, sizing: Sizing) -> tf.Tensor:
    size = [sizing.height, sizing.width]
    is_far = tf.reduce_any(window[2:] >= 2 * tf.constant(size))
    resized = tf.cond(
        is_far,
        lambda: tf.image.resize(part, size, antialias=True),
        lambda: tf.image.resize(tf.cast(part, tf.float32), size),  # floats at once: twice as fast as from bytes
    )
    return tf.cast(resized + 0.5, tf.uint8)


def _named(photos: PhotoSet, rows: NDArray[np.int64], cuts: Sequence[Cut], sizing: Sizing) -> DatasetUnreadable:
    """Which file it was."""
    for row, branch, window in zip(rows, *_columns(cuts), strict=True):
        try:
            _bring(tf.io.read_file(str(photos.files[row])), tf.constant(branch), tf.constant(window), sizing)
        except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as error:
            file = photos.files[row]
            return DatasetUnreadable(
                f"Expected {file.name} ({photos.names[row]}) to be a JPEG or PNG photograph of "
                f"{photos.sizes[row][1]} x {photos.sizes[row][0]} px, but it cannot be decoded: {error.message[:200]}."
            )
    return DatasetUnreadable("A photograph could not be decoded, but all can be now. Retry the job.")
