"""The recipe: what it leaves behind, that a seed fixes it, and that stopping changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml.recipes.style_transfer import paint
from ml.reporter import Interruption
from records.errors import PictureUnsuitable, ResumeImpossible
from records.events import Artifact, Checkpoint, Metrics
from records.specs import parse_spec
from tests.ml.recipes.stopping import StoppingReporter
from tests.ml.style.painting_parts import LAYERS, make_order, without_file, write_picture

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow 2.21

SPEC = {
    "kind": "style_transfer",
    "content": 1,
    "styles": [{"picture": 2}],
    "features": "squeezenet",
    "size": 192,
    "steps": 12,
    "levels": 2,
    "checkpoint_every_s": 0,
    **LAYERS,
}


@pytest.fixture
def run(tmp_path):
    """`run("name", spec)`: paint, and the folder and events of it."""
    inputs = {
        "content": write_picture(tmp_path / "content", 1),
        "styles.0.picture": write_picture(tmp_path / "style", 2, (40, 40)),
        "features": tmp_path / "none",
    }

    def paint_one(name, spec=SPEC, *, checkpoint=None, stop_after=None, more=()):
        order = make_order(tmp_path / name, spec, {**inputs, **dict(more)}, checkpoint)
        reporter = StoppingReporter(stop_at=stop_after)
        with without_file():
            summary = paint(parse_spec(spec), order, reporter)
        return summary, order.folder, reporter.events

    return paint_one


def pixels(folder):
    with Image.open(folder / "result.png") as picture:
        return np.asarray(picture)


def test_a_picture_its_way_and_its_losses_are_kept(run):
    summary, folder, events = run("one")
    assert pixels(folder).shape == (144, 192, 3)
    kept = {event.name: event.kind for event in events if isinstance(event, Artifact)}
    assert kept == {
        "content.jpg": "given",
        "style-1.jpg": "given",
        "progress.jpg": "progress",
        "result.png": "painting",
        "time-lapse.webp": "painting",
        "run.json": "record",
    }
    names = {point.name for event in events if isinstance(event, Metrics) for point in event.points}
    parts = {"loss/content", "loss/style", "loss/total_variation"}
    assert names == {"loss", *parts, "style/c1_activation", "style/fire2"}
    assert summary["features"] == "squeezenet"
    assert summary["loss"] == pytest.approx(sum(summary[part] for part in parts), rel=1e-5)
    with Image.open(folder / "time-lapse.webp") as lapse:
        assert lapse.n_frames == SPEC["steps"]


def test_the_loss_goes_down(run):
    _, _, events = run("one", {**SPEC, "levels": 1, "steps": 20})
    losses = [p.value for e in events if isinstance(e, Metrics) for p in e.points if p.name == "loss"]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_the_same_seed_gives_the_same_picture_and_another_seed_another(run, optimizer):
    spec = {**SPEC, "start": "noise", "optimizer": optimizer, "steps": 6}
    one, again, other = (run(n, {**spec, "seed": s})[1] for n, s in (("one", 5), ("again", 5), ("other", 6)))
    np.testing.assert_array_equal(pixels(one), pixels(again))
    assert (pixels(one) != pixels(other)).any()


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("stop_after", [3, 8, 10])  # within each size, and at the last step of the coarser one
def test_a_resumed_painting_ends_as_one_that_was_not_stopped(run, optimizer, stop_after):
    spec = {**SPEC, "optimizer": optimizer}
    _, whole, _ = run("whole", spec)
    with pytest.raises(Interruption) as stopped:
        run("stopped", spec, stop_after=stop_after)
    checkpoint = whole.parent / "stopped" / f"checkpoint-{stopped.value.step}.npz"
    _, resumed, events = run("resumed", spec, checkpoint=checkpoint)
    assert (resumed / "result.png").read_bytes() == (whole / "result.png").read_bytes()
    assert (resumed / "time-lapse.webp").read_bytes() == (whole / "time-lapse.webp").read_bytes()
    assert min(event.step for event in events if isinstance(event, Checkpoint)) == stopped.value.step + 1


def test_a_checkpoint_of_another_painting_is_refused(run):
    _, folder, _ = run("one")
    with pytest.raises(ResumeImpossible, match="style_weight"):
        run("two", {**SPEC, "style_weight": 3.0}, checkpoint=folder / "checkpoint-12.npz")


def test_luminance_alone_keeps_the_contents_colours(run):
    _, folder, _ = run("one", {**SPEC, "preserve_colors": "luminance", "steps": 4, "levels": 1, "size": 64})
    chroma = np.array([[0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    with Image.open(folder.parent / "content") as picture:
        content = np.asarray(picture, np.float32) @ chroma.T
    painted = pixels(folder) @ chroma.T
    inside = ((pixels(folder) > 2) & (pixels(folder) < 253)).all(axis=-1)  # where no colour was cut off
    np.testing.assert_allclose(painted[inside], content[inside], atol=2)


def test_a_style_goes_only_where_its_mask_lets_it(run, tmp_path):
    half = np.zeros((48, 64), np.uint8)
    half[:, 32:] = 255
    Image.fromarray(half).save(tmp_path / "mask", "PNG")
    spec = {**SPEC, "styles": [{"picture": 2, "mask": 3}], "levels": 1, "size": 64, "steps": 8, "content_weight": 0}
    spec |= {"total_variation_weight": 0.0, "optimizer": "adam"}
    _, folder, _ = run("one", spec, more={"styles.0.mask": tmp_path / "mask"})
    with Image.open(tmp_path / "content") as picture:
        changed = np.abs(pixels(folder).astype(int) - np.asarray(picture)).max(axis=(0, 2))
    assert changed[:20].max() <= 1  # far enough from the edge that no window reaches over it
    assert changed[36:60].min() > 5  # the last columns fill no window


def test_a_mask_that_shows_nothing_is_refused(run, tmp_path):
    Image.fromarray(np.zeros((48, 64), np.uint8)).save(tmp_path / "mask", "PNG")
    spec = {**SPEC, "styles": [{"picture": 2, "mask": 3}]}
    with pytest.raises(PictureUnsuitable, match="black all over"):
        run("one", spec, more={"styles.0.mask": tmp_path / "mask"})
