"""The recipe of `kind: convolutionalise`: a trained classifier slides over larger images, in one pass.

    trainyard submit --kind convolutionalise --set run.job=1
    expect, for LeNet-5 trained on MNIST, differences below 1e-6 at its own size

The dense layers of the classifier become convolutions (Long, Shelhamer, Darrell 2015, section 3.1) and its weights
move over. Then both are asked: at the classifier's own size they must say the same, or the job fails; on larger
canvases each place of the map is held against the classifier on the window that the place is about. Where no layer pads
they are equal there too; where one does, the record says how much they differ, as the classifier's padding lies where
the map sees what is around the window.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.datasets import ImageSet, load_images
from ml.datasets.canvas import Canvas, scatter
from ml.engine.convolutional import Proof, build_convolutional, sample_places
from ml.engine.earlier import load_trained
from ml.engine.evaluate import log_probabilities
from ml.engine.identity import describe_surroundings
from ml.engine.results import Results
from ml.engine.stopwatch import Stages
from ml.networks.convolutional import Convolutional, canvas_shape, convolutionalise
from ml.reporter import Interruption, Reporter
from ml.run_record import read_record
from records.errors import NotEqual
from records.orders import Order
from records.specs import ConvolutionaliseSpec

TOLERANCE = 1e-5
"""The largest difference at the classifier's own size, as a share of the largest logit: rounding, and no more."""
STEPS = 4


def convert(spec: ConvolutionaliseSpec, order: Order, reporter: Reporter) -> dict[str, Any]:
    """Convert, prove, and keep the results in `order.folder`.

    Args:
        spec: what to convert.
        order: `inputs` are the folder of the `dataset`, the `weights` and the record of the `run`.
        reporter: hears of all that happens.

    Returns:
        `native/largest_difference`, `sliding/largest_difference`, `sliding/same_class`, `found` (share of the images
        on the canvases that the nearest place names rightly), `multiply_adds_saved` and `time_saved` (how many times
        less than the classifier on every window).

    Raises:
        Interruption: stopped as asked; another attempt begins anew, as it takes seconds.
        NotEqual: both differ at the classifier's own size by more than rounding.
    """
    stages = Stages(reporter, time.perf_counter)
    stages.begin("loading")
    trained = read_record(order.inputs["run"])
    data = load_images(trained.spec.dataset, order.inputs["dataset"])
    record = {**describe_surroundings(order), "run": spec.run.model_dump(), "seed": spec.seed}

    stages.begin("building")
    network = trained.draw()
    classifier = load_trained(network, order.inputs["weights"])
    shape = canvas_shape(network, spec.canvas)
    converted = convolutionalise(network, shape, global_pooling=spec.global_pooling)
    model = build_convolutional(converted, classifier)
    proof = Proof(converted, classifier, model)
    canvases = [scatter(data.test_images, shape[:2], spec.seed + number) for number in range(spec.canvases)]
    pixels = np.stack([canvas.pixels for canvas in canvases])

    stages.begin("testing")
    native = proof.compare_native(_sample(data, spec))
    _advance(reporter, 1)
    if native.largest > TOLERANCE and spec.global_pooling == "window":
        raise NotEqual(
            f"Expected the converted network to say the same at {network.input_shape[:2]} px to {TOLERANCE:.0e}, but "
            f"the largest difference is {native.largest:.1e}. Report it with the network: this is an error of the yard."
        )
    sliding = proof.compare_sliding(pixels, sample_places(converted, spec.places, spec.seed))
    _advance(reporter, 2)
    cost = _cost(converted) | proof.time(pixels[0])
    _advance(reporter, 3)
    logits = proof.maps(pixels)
    probabilities = np.exp(log_probabilities(logits))

    stages.begin("reporting")
    summary = {
        "native/largest_difference": native.largest,
        "sliding/largest_difference": sliding.largest,
        "sliding/same_class": sliding.same_class,
        "found": _share_found(converted, canvases, probabilities, data.test_labels),
        "multiply_adds_saved": cost["multiply_adds_of_every_window"] / cost["multiply_adds_of_the_map"],
        "time_saved": cost["seconds_of_every_window"] / cost["seconds_of_the_map"],
    }
    results = Results(order.folder, reporter)
    results.keep_model(model)
    results.keep_weights(model, "best")
    results.keep_json("network.json", converted.network.to_json())
    results.keep_json(
        "proof.json",
        {
            "window_px": converted.window,
            "stride_px": converted.stride,
            "canvas_px": shape[:2],
            "places": converted.places,
            "padded_layers": converted.padded,
            "kernels": converted.kernels,
            "native": asdict(native),
            "sliding": asdict(sliding),
            "cost": cost,
        },
    )
    results.keep_heat_maps(pixels, probabilities, data.classes, window=converted.window, stride=converted.stride)
    reporter.facts(record | {"durations_s": stages.seconds, "metrics": summary})
    results.keep_record({"spec": spec.model_dump(mode="json"), **record, "metrics": summary})
    _advance(reporter, STEPS)
    return summary


def _sample(data: ImageSet, spec: ConvolutionaliseSpec) -> NDArray[np.uint8]:
    chosen = np.random.default_rng(spec.seed).permutation(len(data.test_images))[: spec.images]
    return data.test_images[np.sort(chosen)]


def _advance(reporter: Reporter, step: int) -> None:
    if reporter.should_stop:
        raise Interruption(step)
    reporter.progress(step=step, steps=STEPS, epoch=1, epochs=1)


def _cost(converted: Convolutional) -> dict[str, Any]:
    windows = converted.places[0] * converted.places[1]
    return {
        "windows": windows,
        "multiply_adds_of_the_map": converted.network.multiply_adds,
        "multiply_adds_of_every_window": windows * converted.native.multiply_adds,
    }


def _share_found(
    converted: Convolutional, canvases: Sequence[Canvas], probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> float:
    """Share of the scattered images whose nearest place says their class."""
    right = []
    for canvas, said in zip(canvases, probabilities.argmax(axis=-1), strict=True):
        for image in canvas.scattered:
            row = min(round(image.top / converted.stride[0]), converted.places[0] - 1)
            column = min(round(image.left / converted.stride[1]), converted.places[1] - 1)
            right.append(said[row, column] == labels[image.index])
    return float(np.mean(right))
