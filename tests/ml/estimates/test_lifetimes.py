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
