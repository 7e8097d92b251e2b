"""Errors that mean that memory did not do, and errors that do not."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import tensorflow as tf

from ml.child import as_job_error
from ml.shortages import means_out_of_memory
from records.errors import OutOfMemory, RecipeFailed


def tensorflow_error(cls: type, text: str) -> Exception:
    return cls(None, None, text)


def numpy_error() -> Exception:
    with pytest.raises(MemoryError) as raised:
        np.zeros((2**62,), np.uint8)
    return raised.value


SHORT = {
    "Python": MemoryError(),
    "numpy": numpy_error(),
    "TensorFlow": tensorflow_error(
        tf.errors.ResourceExhaustedError, "OOM when allocating tensor with shape[64,64,112,112] and type float on GPU"
    ),
    "CUDA's driver": tensorflow_error(tf.errors.InternalError, "failed to call cuInit: CUDA_ERROR_OUT_OF_MEMORY"),
    "cuBLAS": tensorflow_error(tf.errors.InternalError, "cublas error: CUBLAS_STATUS_ALLOC_FAILED"),
    "cuDNN": tensorflow_error(tf.errors.InternalError, "CUDNN_STATUS_ALLOC_FAILED in tensorflow/stream_executor"),
    "a copy to a full GPU": tensorflow_error(tf.errors.InternalError, "Dst tensor is not initialized."),
    "XLA": tensorflow_error(tf.errors.UnknownError, "Out of memory while trying to allocate 12345 bytes."),
    "oneDNN": tensorflow_error(tf.errors.AbortedError, "Status: 1, message: could not create a memory object"),
    "PyTorch's text": RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "the system": OSError(errno.ENOMEM, "Cannot allocate memory"),
}  # fmt: skip


@pytest.mark.parametrize("error", SHORT.values(), ids=SHORT.keys())
def test_words_for_no_memory_are_known(error):
    assert means_out_of_memory(error)
    assert isinstance(as_job_error(error), OutOfMemory)


def test_an_error_that_was_raised_from_a_shortage_is_one():
    error = ValueError("could not go on")
    error.__cause__ = MemoryError()
    assert means_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("expected a batch, got: out of memory"),
        KeyError("OOM when allocating"),
        tensorflow_error(tf.errors.InvalidArgumentError, "Incompatible shapes: [2] vs. [3]"),
        RuntimeError("It is over."),
    ],
    ids=str,
)
def test_other_errors_are_not_shortages(error):
    assert not means_out_of_memory(error)
    assert isinstance(as_job_error(error), RecipeFailed)
