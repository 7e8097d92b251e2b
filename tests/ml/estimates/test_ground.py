"""What lies in memory before the first step, against sums worked out by hand."""

from __future__ import annotations

from ml.estimates.allocator import BestFitAllocator, ExactAllocator
from ml.estimates.ground import Ground

MIB = 2**20


def ground(**fields) -> Ground:
    return Ground(**{"weights": (), "slots": (), "data": 0, "batch": 0, **fields})


def test_weights_are_drawn_in_three_arrays_of_which_one_stays():
    allocator = ExactAllocator()
    held = ground(weights=[("w", 4 * MIB)]).lay(allocator, "cpu")
    assert (allocator.peak, allocator.in_use) == (12 * MIB, 4 * MIB)
    assert held == {"w": 3}


def test_the_next_array_falls_into_the_gap_that_drawing_left():
    """A region of 4 MiB each for the raw numbers and the scaled ones; the weights begin the third, of 8."""
    allocator = BestFitAllocator()
    ground(weights=[("w", 4 * MIB)], slots=[("m", 3 * MIB)]).lay(allocator, "cpu")
    assert allocator.in_use == 8 * MIB, "3 MiB take one of the gaps of 4 whole, as it is less than twice as large"


def test_images_lie_on_the_cpu_and_not_on_a_gpu():
    for kind, expected in (("cpu", 10 * MIB + 5 * MIB), ("gpu", 0)):
        allocator = ExactAllocator()
        ground(data=10 * MIB, batch=MIB).lay(allocator, kind)
        assert allocator.in_use == expected


def test_what_is_too_small_to_count_has_no_handle():
    allocator = ExactAllocator()
    assert ground(weights=[("bias", 1000)], slots=[("m", 1000)]).lay(allocator, "cpu") == {}
    assert allocator.in_use == 0
