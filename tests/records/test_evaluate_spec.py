"""What a spec of `kind: evaluate` takes."""

from __future__ import annotations

from typing import Any

import pytest

from records.errors import InvalidSpec
from records.specs import EvaluateSpec, parse_spec

BASE: dict[str, Any] = {"kind": "evaluate", "runs": [{"job": 12}, {"job": 13, "weights": "last"}]}


def test_all_count_the_same_unless_weights_say_otherwise() -> None:
    spec = parse_spec(BASE)
    assert isinstance(spec, EvaluateSpec)
    assert spec.shares == (0.5, 0.5)
    weighted = parse_spec(BASE | {"vote_weights": [1, 3]})
    assert isinstance(weighted, EvaluateSpec)
    assert weighted.shares == (0.25, 0.75)


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"runs": []}, "runs", "at least one run, got none"),
        ({"runs": [{"job": 1}, {"job": 1, "weights": "best"}]}, "runs", "each run once"),
        ({"runs": [{"job": 0}]}, "runs.0.job", "greater than or equal to 1"),
        ({"runs": [{"job": n + 1} for n in range(65)]}, "runs", "at most 64"),
        ({"split": "all"}, "split", "'train', 'val' or 'test'"),
        ({"vote_weights": [0, 0]}, "vote_weights", "at least one weight above zero"),
        ({"vote_weights": [1, -1]}, "vote_weights.1", "greater than or equal to 0"),
        ({"test_time_augmentation": {"count": 0}}, "test_time_augmentation.count", "greater than or equal to 1"),
        (
            {"test_time_augmentation": {"augmentation": {}}},
            "test_time_augmentation.augmentation",
            "at least one change",
        ),
        (
            {"test_time_augmentation": {"augmentation": {"crop": {}}}},
            "test_time_augmentation.augmentation",
            "leave crop, mixup and cutmix out",
        ),
        (
            {"test_time_augmentation": {"augmentation": {"mixup": 0.1}}},
            "test_time_augmentation.augmentation",
            "leave crop, mixup and cutmix out",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_place(fields: dict[str, Any], path: str, part: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(BASE | fields)
    (found,) = caught.value.problems
    assert found.path == path
    assert part in found.text
