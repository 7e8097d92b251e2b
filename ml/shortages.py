"""Whether an error means that memory did not do: by its class, or by the words that frameworks and drivers use.

Imports no framework: classes are looked at by name.
"""

from __future__ import annotations

import re

_CLASSES = frozenset({"MemoryError", "ResourceExhaustedError", "_ArrayMemoryError"})
_FRAMEWORKS = ("tensorflow.", "keras.", "jax", "numpy.")
_WORDS = re.compile(
    r"RESOURCE_EXHAUSTED"
    r"|OOM when allocating"
    r"|out of memory"
    r"|CUDA_ERROR_OUT_OF_MEMORY"
    r"|(CUBLAS|CUDNN|CUSOLVER|CUFFT|CUSPARSE)_STATUS_ALLOC_FAILED"
    r"|failed to (alloc|allocate)\b"
    r"|unable to allocate\b"
    r"|Dst tensor is not initialized"  # TensorFlow's words for a copy to a GPU that is full
    r"|Status: 1, message: could not create"  # oneDNN's status 1 is out_of_memory
    r"|std::bad_alloc"
    r"|cannot allocate memory",
    re.IGNORECASE,
)


def means_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that it was raised from, says that there was no memory left.

    Words count only in errors of frameworks and of the system, and in bare RuntimeErrors: a text of ours, or of a
    person, may speak of memory for other reasons.
    """
    seen: BaseException | None = error
    while seen is not None:
        if _says_so(seen):
            return True
        seen = seen.__cause__
    return False


def _says_so(error: BaseException) -> bool:
    classes = type(error).__mro__
    if any(cls.__name__ in _CLASSES for cls in classes):
        return True
    trusted = isinstance(error, OSError) or type(error) is RuntimeError
    return (trusted or type(error).__module__.startswith(_FRAMEWORKS)) and bool(_WORDS.search(str(error)))
