"""How soon is a trained model's answer there?

A yard on SQLite with a LeNet-5 trained on MNIST; test digits as PNG over HTTP, on one connection, from request to
answer. *Cold* is the first question: the predictor is forked, builds the model, loads its weights, traces its first
call, and starts its decoder. *Warm* is every later one. In turn with a script that loads Keras and the saved model and
predicts the same digit, which is what a user would do without a yard; it is timed from the start of its interpreter to
its end. The predictor has one processor thread, as is its default; the script takes what it finds.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
import psutil
from PIL import Image

from bench.alone import run_python
from bench.cases.memory import read_memory
from bench.datasets import fetch_mnist
from bench.results import Aim
from bench.setting import Measured, Setting
from bench.statistics import alternate, figure, percentile, ratio
from bench.yard import Yard, await_true, run_yard
from ml.datasets import load_images
from trainyard.client import Client

WARM_AIM = Aim(relation="at most", value=50)
RATIO_AIM = Aim(relation="at least", value=100)
MANY = 64
IDLE_S = 1.0
SPEC = {
    "kind": "train",
    "dataset": "mnist",
    "network": {"name": "lenet5"},
    "epochs": 1,
    "train_examples": 12_800,
}
DECODER = "ml.intake.decoder"


def measure(setting: Setting) -> Measured:
    """Milliseconds cold, warm and by a script; images a second of a request with many; memory."""
    digits = read_digits(setting.folder / "cache", MANY)
    image = setting.folder / "digit.png"
    image.write_bytes(digits[0])
    with run_yard(setting.folder / "yard", predict_idle_s=IDLE_S, sweep_s=0.2) as yard:
        asker = Asker(yard, yard.run(SPEC))
        with Client(yard.url, yard.token) as client:
            model = client.download(asker.job_id, "model.keras", setting.folder)
        asker.ask(digits[:1])
        cold, warm, script = alternate(
            setting.count(10, 2),
            lambda: asker.cold_ms(digits[:1]),
            lambda: asker.warm_ms(digits[:1], setting.count(50, 5)),
            lambda: script_ms(model, image),
        )
        medians = [float(np.median(times)) for times in warm]
        every = [ms for times in warm for ms in times]
        many = [MANY / (ms / 1000) for ms in asker.warm_ms(digits, setting.count(20, 3))]
        predictor, decoder = asker.processes()
        held = [read_memory(process.pid).pss_mb for process in (predictor, decoder)]
        resident_mb = predictor.memory_info().rss / 1e6
    return Measured(
        [
            figure("one digit, cold", "ms", cold),
            figure("one digit, warm", "ms", every, WARM_AIM),
            figure("one digit, warm, the 95th percentile", "ms", [percentile(every, 95)]),
            figure("one digit, a script that loads Keras and the model", "ms", script),
            ratio("script : warm", script, medians, RATIO_AIM),
            ratio("script : cold", script, cold),
            figure(f"{MANY} digits in one request", "images/s", many),
            figure("the predictor with LeNet-5, proportional share", "MB", held[:1]),
            figure("the predictor with LeNet-5, resident", "MB", [resident_mb]),
            figure("its decoder, proportional share", "MB", held[1:]),
        ]
    )


class Asker:
    """Asks one model of a yard."""

    def __init__(self, yard: Yard, job_id: int) -> None:
        self.job_id = job_id
        self._yard = yard
        self._http = httpx.Client(base_url=yard.url, headers={"Authorization": f"Bearer {yard.token}"}, timeout=60.0)

    def ask(self, images: Sequence[bytes]) -> float:
        """Ask about images, one as the body and many as a form; how long it took, in milliseconds."""
        path = f"/api/v1/jobs/{self.job_id}/predict"
        began = time.perf_counter()
        if len(images) == 1:
            reply = self._http.post(path, content=images[0], headers={"Content-Type": "image/png"})
        else:
            reply = self._http.post(path, files=[("images", (f"{n}.png", image)) for n, image in enumerate(images)])
        took_ms = (time.perf_counter() - began) * 1000
        if reply.status_code != httpx.codes.OK or len(reply.json()["images"]) != len(images):
            raise RuntimeError(f"Expected an answer, got {reply.status_code}: {reply.text[:500]}")
        return took_ms

    def cold_ms(self, images: Sequence[bytes]) -> float:
        """Ask when the predictor has ended because nobody asked."""
        await_true(lambda: not self.processes(), 30.0, "the idle predictor to end")
        return self.ask(images)

    def warm_ms(self, images: Sequence[bytes], times: int) -> list[float]:
        """Ask again and again."""
        self.ask(images)
        return [self.ask(images) for _ in range(times)]

    def processes(self) -> list[psutil.Process]:
        """The predictor and its decoder, or none."""
        for process in psutil.Process(self._yard.pid).children(recursive=True):
            try:
                if DECODER in process.cmdline():
                    return [process.parent(), process]
            except psutil.NoSuchProcess:
                continue
        return []


def script_ms(model: Path, image: Path) -> float:
    """The same digit by a script of its own."""
    began = time.perf_counter()
    run_python("bench.baselines.keras_predict", {"model": str(model), "image": str(image)})
    return (time.perf_counter() - began) * 1000


def read_digits(folder: Path, count: int) -> list[bytes]:
    """The first test images of MNIST as PNG files."""
    digits = []
    for pixels in load_images("mnist", fetch_mnist(folder)).test_images[:count]:
        written = io.BytesIO()
        Image.fromarray(pixels[..., 0]).save(written, "PNG")
        digits.append(written.getvalue())
    return digits
