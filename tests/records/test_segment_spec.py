"""What people may ask of a segmentation, and how a mistake is answered."""

from __future__ import annotations

import pytest

from records.errors import InvalidSpec
from records.specs import SegmentSpec, parse_spec
from records.specs.augmentation import Augmentation

BASE = {"kind": "segment", "dataset": "nuclei"}


def problem(**fields) -> tuple[str, str]:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(BASE | fields)
    (found,) = caught.value.problems
    return found.path, found.text


def test_a_dataset_is_all_that_is_needed():
    spec = parse_spec(BASE)
    assert isinstance(spec, SegmentSpec)
    assert spec.network.name == "unet"
    assert (spec.loss.cross_entropy, spec.loss.dice, spec.loss.focal) == (1.0, 1.0, 0.0)
    assert spec.base is None


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"loss": {"cross_entropy": 0, "dice": 0}}, "loss", "at least one loss, got none"),
        ({"loss": {"hinge": 1}}, "loss.hinge", "Unknown field"),
        ({"loss": {"focal_gamma": 1.0}}, "loss", "without one it has no effect"),
        ({"loss": {"cross_entropy": 0}, "class_weights": "balanced"}, "", "Dice counts every class alike"),
        ({"class_weights": [0, 0]}, "class_weights", "above zero"),
        ({"backbone_rate": 0.1}, "", "Expected a base with backbone_rate"),
        ({"crop_size": 4}, "crop_size", "a whole number of 8 to 2,048"),
        ({"tile_overlap": 0.9}, "tile_overlap", "less than or equal to 0.75"),
        ({"early_stopping": {"metric": "val/accuracy"}}, "early_stopping.metric", "val/mean_iou"),
        ({"augmentation": {"scale": [2.0, 1.0]}}, "augmentation.scale", "smaller number first"),
        ({"augmentation": {"crop": {}}}, "augmentation.crop", "Unknown field"),
    ],
)
def test_mistakes_are_answered_where_they_are(fields, path, said):
    where, text = problem(**fields)
    assert where == path
    assert said in text


def test_early_stopping_watches_the_mean_iou_where_nothing_is_said():
    assert parse_spec(BASE | {"early_stopping": {}}).early_stopping.metric == "val/mean_iou"


def test_what_changes_colours_is_told_apart_from_what_moves_pixels():
    augmentation = parse_spec(
        BASE | {"augmentation": {"flip": "both", "rotate_degrees": 9, "contrast": 0.5}}
    ).augmentation
    assert augmentation.colours == Augmentation(contrast=0.5)
