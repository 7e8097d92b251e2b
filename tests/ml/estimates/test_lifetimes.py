"""Lifetimes, against walks worked out by hand."""

from __future__ import annotations

from ml.estimates.allocator import ExactAllocator
from ml.estimates.lifetimes import Operation, Schedule, Size


def walked(*operations: Operation, images: int = 1, least_bytes: int = 1) -> int:
    return Schedule(operations).walk(ExactAllocator(), images=images, least_bytes=least_bytes)


def test_a_tensor_is_gone_after_its_last_reader():
    peak = walked(
        Operation("a", makes=(("a", Size(fixed=10)),)),
        Operation("b", ("a",), (("b", Size(fixed=5)),)),
        Operation("c", ("b",), (("c", Size(fixed=8)),)),
        Operation("end", ("c",)),
    )
    assert peak == 15, "a and b together; when c is made, a is gone"


def test_what_a_later_operation_reads_is_kept():
    peak = walked(
        Operation("a", makes=(("a", Size(fixed=10)),)),
        Operation("b", ("a",), (("b", Size(fixed=5)),)),
        Operation("c", ("b",), (("c", Size(fixed=8)),)),
        Operation("backward", ("c", "a")),
    )
    assert peak == 23


def test_the_last_reader_may_write_over_what_it_reads():
    first = Operation("a", makes=(("a", Size(fixed=10)),))
    over = Operation("relu", ("a",), (("b", Size(fixed=10)),), over=("a",))
    assert walked(first, over, Operation("end", ("b",))) == 10
    assert walked(first, over, Operation("end", ("b", "a"))) == 20, "somebody else still needs a"


def test_an_output_of_another_size_is_not_written_over():
    first = Operation("a", makes=(("a", Size(fixed=10)),))
    assert walked(first, Operation("b", ("a",), (("b", Size(fixed=4)),), over=("a",))) == 14


def test_sizes_grow_with_the_images_and_small_ones_may_be_left_out():
    operation = Operation("a", makes=(("a", Size(an_image=10, fixed=3)),), scratch=Size(fixed=100))
    assert walked(operation, images=4) == 143
    assert walked(operation, images=4, least_bytes=50) == 100


def test_everything_is_given_back():
    allocator = ExactAllocator()
    allocator.allocate(7)
    schedule = Schedule([Operation("a", makes=(("a", Size(fixed=10)),)), Operation("b", ("a", "a"))])
    assert [schedule.walk(allocator, images=1) for _ in range(2)] == [17, 17]
    assert allocator.in_use == 7


TEN = Size(fixed=10)
READ = Operation("read", makes=(("seen", Size()),), views="w")
UPDATE = Operation("update", updates="w")


def with_variable(*operations: Operation, turns=None) -> tuple[int, int, dict[str, int]]:
    """The peak over a variable of 10 bytes, what is in use at the end, and its handle."""
    allocator = ExactAllocator()
    held = {"w": allocator.allocate(10)}
    schedule = Schedule(operations, turns=turns, variables={"w": TEN})
    peak = schedule.walk(allocator, images=1, held=held)
    return peak, allocator.in_use, held


def test_a_variable_that_nobody_is_reading_changes_in_place():
    assert with_variable(READ, Operation("use", ("seen",)), UPDATE)[:2] == (10, 10)


def test_a_variable_that_somebody_has_still_to_read_is_copied_and_the_old_one_goes_after_the_last_reader():
    peak, left, held = with_variable(READ, UPDATE, Operation("use", ("seen",)))
    assert (peak, left) == (20, 10)
    assert held["w"] != 1, "the variable lies elsewhere now"


def test_whoever_reads_a_variable_by_its_own_name_reads_what_it_was_at_the_beginning():
    assert with_variable(UPDATE, Operation("use", ("w",)))[0] == 20
    assert with_variable(Operation("use", ("w",)), UPDATE)[0] == 10


def test_a_replaced_variable_becomes_what_was_made_and_its_old_memory_goes():
    made = Operation("make", makes=(("new", TEN),))
    peak, left, held = with_variable(made, Operation("replace", ("new",), replaces="w"))
    assert (peak, left) == (20, 10)
    assert held["w"] == 2


def test_a_variable_that_moved_is_found_again_by_the_next_walk():
    allocator = ExactAllocator()
    held = {"w": allocator.allocate(10)}
    schedule = Schedule([READ, UPDATE, Operation("use", ("seen",))], variables={"w": TEN})
    assert [schedule.walk(allocator, images=1, held=held) for _ in range(3)] == [20, 20, 20]
    assert allocator.in_use == 10


def test_what_runs_at_the_same_time_lies_side_by_side():
    one, two = (Operation(name, scratch=TEN) for name in ("one", "two"))
    in_turn, together = (
        Schedule([one, two], turns=turns).walk(ExactAllocator(), images=1) for turns in ((1, -1, 2, -2), (1, 2, -1, -2))
    )
    assert (in_turn, together) == (10, 20)
