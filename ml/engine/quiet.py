"""What must stand in the environment before TensorFlow is imported. Imports nothing itself."""

from __future__ import annotations

import os


def quieten() -> None:
    """Choose Keras's backend and keep TensorFlow's chatter out of the job's log; what is already set stays."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TensorFlow's own default; named, it is not announced at every start.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
