"""The life of a predictor: a child that answers one question after the other about images from outside.

Those are decoded in small processes with hard limits (`ml.intake.decoders`), never in this one, which holds the models
of many people. It is told no secret, and asks no database and no network.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import psutil
from numpy.typing import NDArray

from ml.intake.decoders import DecoderPool
from ml.intake.refusals import FileProblem
from ml.predicting.pictures import fit_pictures
from ml.predicting.shelf import Shelf
from ml.run_record import read_record
from records.errors import JobError, ModelUnreadable
from records.intake import IntakeLimits, IntakeOptions
from records.questions import (
    Answer,
    Likely,
    Model,
    Picture,
    PredictorOrder,
    Question,
    Result,
    Seen,
    Trouble,
)
from records.specs import SegmentSpec
from records.specs.earlier import RECORD, weights_name

if TYPE_CHECKING:
    from ml.predicting.classifier import Classifier
    from ml.predicting.segmenter import PixelTeller

LONGEST_PX = IntakeOptions().longest_px
"""Pictures are shrunk to this longest side first, as datasets are when they are taken in."""
LONGEST_TOLD_PX = 2_048
"""Likewise for models that tell every pixel, whose answer has so many."""
MOST_ANSWERED_BYTES = 40_000_000
"""Of the masks and overlays of one answer, in base64."""
IMAGE_S = 5.0
"""Time that decoding one image may take; the largest photograph that is taken needs one."""
Decoded = NDArray[np.uint8] | FileProblem
AsJobError = Callable[[Exception], JobError]


def serve(
    order: PredictorOrder, lines: Iterable[bytes], write: Callable[[Answer], object], *, as_job_error: AsJobError
) -> None:
    """Answer each line, which is a `Question`, until there are no more.

    Args:
        order: what this predictor may use.
        lines: one JSON line a question.
        write: takes each answer.
        as_job_error: makes a foreign error one of ours.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # there is nothing to save
    limits = IntakeLimits(processes=1, largest_image_pixels=order.image_pixels, decode_s=IMAGE_S)
    with DecoderPool(limits) as decoders:
        predictor = Predictor(decoders, Shelf(order.models))
        for line in lines:
            try:
                outcome: Result | Trouble = predictor.answer(Question.model_validate_json(line))
            except Exception as error:
                traceback.print_exc()
                ours = as_job_error(error)
                outcome = Trouble(code=ours.code, text=ours.text)
            write(_as_answer(outcome, predictor.held))


class Predictor:
    """Answers questions.

    Args:
        decoders: for images from outside.
        shelf: for models.
    """

    def __init__(self, decoders: DecoderPool, shelf: Shelf[Classifier | PixelTeller]) -> None:
        self._decoders = decoders
        self._shelf = shelf

    @property
    def held(self) -> tuple[str, ...]:
        """Keys of the models that are ready."""
        return self._shelf.keys

    def answer(self, question: Question) -> Result:
        """What is on the images.

        Raises:
            ModelUnreadable: the model cannot be built.
        """
        if _tells_pixels(question.model, self._shelf):
            return self._tell_pixels(question)
        with ThreadPoolExecutor(1) as beside:  # images are decoded while a model is built
            decoding = beside.submit(lambda: [self._decode(picture) for picture in question.pictures])
            classifier = cast("Classifier", self._shelf.take(question.model.key, lambda: _load(question.model)))
            decoded = decoding.result()
        good = [pixels for pixels in decoded if not isinstance(pixels, FileProblem)]
        fitted = fit_pictures(good, classifier.image_shape, shown=classifier.shown)
        told = iter(classifier.probabilities(255 - fitted if question.options.invert else fitted))
        images = [
            _refused(picture.name, pixels)
            if isinstance(pixels, FileProblem)
            else _seen(picture.name, next(told), classifier.classes, question.options.top)
            for picture, pixels in zip(question.pictures, decoded, strict=True)
        ]
        return Result(classes=classifier.classes, images=tuple(images))

    def _tell_pixels(self, question: Question) -> Result:
        """One image after the other, so that memory does not grow with their number."""
        teller = cast("PixelTeller", self._shelf.take(question.model.key, lambda: _load_teller(question.model)))
        images, size = [], 0
        for picture in question.pictures:
            pixels = self._decode(picture, longest_px=LONGEST_TOLD_PX)
            if isinstance(pixels, FileProblem):
                images.append(_refused(picture.name, pixels))
                continue
            told = teller.tell(pixels, invert=question.options.invert)
            size += len(told.mask) + len(told.overlay)
            if size > MOST_ANSWERED_BYTES:
                full = FileProblem("answer_full", "The masks of all images are too large for one answer. Send fewer.")
                images.append(_refused(picture.name, full))
                continue
            images.append(Seen(name=picture.name, pixels=told))
        return Result(classes=teller.classes, images=tuple(images))

    def _decode(self, picture: Picture, *, longest_px: int | None = LONGEST_PX) -> Decoded:
        try:
            return self._decoders.decode(picture.path.read_bytes(), longest_px=longest_px).pixels
        except OSError as error:
            return FileProblem("unreadable", f"Its bytes are gone ({error.strerror}). Send it again.")
        except FileProblem as problem:
            return problem


def _tells_pixels(model: Model, shelf: Shelf[Classifier | PixelTeller]) -> bool:
    """Whether the model is one of a segmentation, by what is held or else by its record."""
    held = shelf.look(model.key)
    if held is not None:
        return hasattr(held, "tell")
    return isinstance(read_record(_files(model) / RECORD).spec, SegmentSpec)


def _load(model: Model) -> Classifier:
    from ml.predicting.classifier import load_classifier

    files = _files(model)
    return load_classifier(files / RECORD, files / weights_name(model.weights))


def _load_teller(model: Model) -> PixelTeller:
    from ml.predicting.segmenter import load_teller

    files = _files(model)
    return load_teller(files / RECORD, files / weights_name(model.weights))


def _files(model: Model) -> Path:
    if model.files is None:
        raise ModelUnreadable(f"Expected the files of the model of job {model.job_id}, got none. Ask again.")
    return model.files


def _seen(name: str, probabilities: NDArray[np.float32], classes: Sequence[str], top: int) -> Seen:
    """The likeliest classes; of equal ones the earlier goes first."""
    best = np.argsort(-probabilities, kind="stable")[:top]
    likely = [Likely(name=classes[index], probability=float(probabilities[index])) for index in best]
    return Seen(name=name, classes=tuple(likely))


def _refused(name: str, problem: FileProblem) -> Seen:
    return Seen(name=name, problem=Trouble(code=problem.code, text=problem.text))


def _as_answer(outcome: Result | Trouble, held: tuple[str, ...]) -> Answer:
    resident_bytes = psutil.Process(os.getpid()).memory_info().rss
    if isinstance(outcome, Trouble):
        return Answer(trouble=outcome, held=held, resident_bytes=resident_bytes)
    return Answer(result=outcome, held=held, resident_bytes=resident_bytes)
