"""The frames that photographs are brought into."""

from __future__ import annotations

from ml.sizing import Sizing, evaluation_sizing, training_sizing
from records.specs.augmentation import Augmentation, Crop


def test_without_a_crop_training_sees_what_evaluation_sees():
    for augmentation in (None, Augmentation(flip="both", shift=0.1)):
        assert training_sizing((224, 160, 3), augmentation) == evaluation_sizing((224, 160, 3)) == Sizing(224, 160, 3)


def test_a_crop_needs_whole_photographs_somewhat_larger():
    assert training_sizing((224, 160, 3), Augmentation(crop=Crop())) == Sizing(256, 183, 3, whole=True)
