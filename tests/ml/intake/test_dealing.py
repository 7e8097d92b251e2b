"""Splits: stratified, by content, and what belongs together stays together."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.intake.dealing import Hand, deal, split_beside
from records.intake import Splits


def content(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def singles(labels):
    return [Hand((number,), label, content(number)) for number, label in enumerate(labels)]


def counts(labels, dealt):
    return {label: Counter(dealt[n] for n, other in enumerate(labels) if other == label) for label in set(labels)}


def test_each_class_gives_its_share():
    labels = ["ants"] * 100 + ["bees"] * 50
    assert counts(labels, deal(singles(labels), Splits())) == {
        "ants": {"train": 80, "val": 10, "test": 10},
        "bees": {"train": 40, "val": 5, "test": 5},
    }


def test_other_fractions_are_kept_and_nought_means_none():
    labels = ["ants"] * 40 + ["bees"] * 40
    dealt = deal(singles(labels), Splits(train=0.75, val=0.25, test=0.0))
    assert counts(labels, dealt)["bees"] == {"train": 30, "val": 10}


def test_small_classes_take_turns_between_val_and_test():
    """Ten classes of five: a tenth is half an image each, so five classes give one to test, the others one to val."""
    labels = [f"{number}" for number in range(10) for _ in range(5)]
    dealt = deal(singles(labels), Splits())
    assert Counter(dealt.values()) == {"train": 40, "val": 5, "test": 5}
    assert all(found["train"] == 4 for found in counts(labels, dealt).values())


def test_every_class_keeps_an_image_to_train_with():
    labels = ["one"] + ["two"] * 2 + ["three"] * 3
    dealt = deal(singles(labels), Splits(train=0.02, val=0.49, test=0.49))
    assert all(found["train"] >= 1 for found in counts(labels, dealt).values())


def test_the_split_follows_the_content_not_the_order():
    hands = singles(["ants"] * 60)
    dealt = deal(hands, Splits())
    assert deal(list(reversed(hands)), Splits()) == dealt


def test_another_seed_gives_another_split():
    hands = singles(["ants"] * 60)
    assert deal(hands, Splits(seed=1)) == deal(hands, Splits(seed=1)) != deal(hands, Splits(seed=2))


def test_a_few_more_images_move_few_of_the_others():
    labels = ["ants"] * 200
    before, after = deal(singles(labels), Splits()), deal(singles([*labels, *["ants"] * 5]), Splits())
    assert sum(before[number] != after[number] for number in before) <= 5


def test_images_of_one_hand_stay_together_and_the_shares_stay_right():
    hands = [Hand(tuple(range(10 * n, 10 * n + 10)), "ants", content(n)) for n in range(3)]
    hands += [Hand((number,), "ants", content(number)) for number in range(30, 100)]
    dealt = deal(hands, Splits())
    for n in range(3):
        assert len({dealt[10 * n + k] for k in range(10)}) == 1
    assert Counter(dealt.values()) == {"train": 80, "val": 10, "test": 10}


def test_a_hand_larger_than_the_room_goes_to_train():
    hands = [Hand(tuple(range(50)), "ants", content(0)), *(Hand((n,), "ants", content(n)) for n in range(50, 100))]
    dealt = deal(hands, Splits())
    assert dealt[0] == "train"
    assert Counter(dealt.values()) == {"train": 80, "val": 10, "test": 10}


@given(
    st.lists(st.integers(0, 3), min_size=0, max_size=60),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5, 0.0), (1.0, 0.0, 0.0), (0.34, 0.33, 0.33)]),
    st.integers(0, 2**31 - 1),
)
def test_everybody_is_dealt_once_and_no_class_is_off_by_two(labels, fractions, seed):
    train, val, test = fractions
    dealt = deal(singles([str(label) for label in labels]), Splits(train=train, val=val, test=test, seed=seed))
    assert sorted(dealt) == list(range(len(labels)))
    for label, found in counts([str(label) for label in labels], dealt).items():
        number = labels.count(int(label))
        assert found["train"] >= 1
        assert found["val"] <= number * val + 2
        assert found["test"] <= number * test + 2
        if not val:
            assert not found["val"]
        if not test:
            assert not found["test"]


@pytest.mark.parametrize(
    ("beside", "split"),
    [(["test"], "test"), (["val", "test"], "val"), (["test", "train"], "train"), (["val", "val"], "val")],
)
def test_what_looks_like_old_images_goes_where_it_spoils_nothing_more(beside, split):
    assert split_beside(beside) == split
