"""The one door to pixels from outside: small processes with hard limits that decode images, and are started anew.

    with DecoderPool(limits) as pool:
        image = pool.decode(path.read_bytes())      # TakenImage, or FileProblem

For a single image now and then there is `take_in_image`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import LifoQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.intake.decoder_process import DECODER, DecoderProcess
from records.intake import IntakeLimits

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 4
"""So many items a decoder are begun before the first of them is asked for."""


@dataclass(frozen=True, eq=False)
class TakenImage:
    """An image from outside, decoded and made plain."""

    pixels: NDArray[np.uint8]
    """`[height, width, 1 or 3]`, 0 to 255, upright; read-only."""
    came_as: str
    """JPEG, PNG, WebP, BMP, TIFF or GIF, by its content."""
    conversions: tuple[str, ...]
    """What was changed: names of fields of `records.intake.Conversions`."""


def take_in_image(data: bytes, limits: IntakeLimits, *, longest_px: int | None = None) -> TakenImage:
    """Decode one image in a process of its own (a third of a second; keep a `DecoderPool` for many).

    Args:
        data: the file.
        limits: what it may be and cost.
        longest_px: shrink it to this longest side; None keeps its size.

    Raises:
        FileProblem: it is no image that we take, is too large or small, broken, or too costly.
    """
    with DecoderPool(limits.model_copy(update={"processes": 1})) as pool:
        return pool.decode(data, longest_px=longest_px)


class DecoderPool:
    """So many decoders side by side. Each is started when it is first needed, and again after it died.

    Args:
        limits: of one image, and how many decoders.
        command: what starts a decoder, without its limits.
    """

    def __init__(self, limits: IntakeLimits, *, command: Sequence[str] = DECODER) -> None:
        self._decoders = [DecoderProcess(limits, command) for _ in range(limits.processes)]
        self._idle: LifoQueue[DecoderProcess] = LifoQueue()
        for decoder in self._decoders:
            self._idle.put(decoder)
        self._threads = ThreadPoolExecutor(limits.processes, "decoders")
        self._closed = threading.Event()

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the decoders at once, with whatever they do."""
        self._closed.set()
        for decoder in self._decoders:
            decoder.close()
        self._threads.shutdown(cancel_futures=True)

    def decode(self, data: bytes, *, longest_px: int | None = None) -> TakenImage:
        """The pixels of one image.

        Raises:
            FileProblem: it cannot be taken in.
        """
        with self._lend() as decoder:
            facts, made = decoder.ask("pixels", data, longest_px=longest_px)
        pixels = np.frombuffer(made, np.uint8).reshape(facts["shape"])
        return TakenImage(pixels, facts["came_as"], tuple(facts["conversions"]))

    def map(self, work: Callable[[DecoderProcess, T], R], items: Iterable[T]) -> Iterator[R]:
        """`work(decoder, item)` for each item, side by side; results in the order of the items, few at a time."""
        waiting: deque[Future[R]] = deque()
        room = AHEAD * len(self._decoders)
        for item in items:
            waiting.append(self._threads.submit(self._with_decoder, work, item))
            if len(waiting) >= room:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _with_decoder(self, work: Callable[[DecoderProcess, T], R], item: T) -> R:
        with self._lend() as decoder:
            return work(decoder, item)

    @contextmanager
    def _lend(self) -> Iterator[DecoderProcess]:
        if self._closed.is_set():
            raise RuntimeError("The decoders are closed.")
        decoder = self._idle.get()
        try:
            yield decoder
        finally:
            self._idle.put(decoder)
