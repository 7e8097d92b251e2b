"""What a forkserver imports once so that children start at once. It RUNS NOTHING.

No operation, no list of devices, no model: a process that forks after any TensorFlow operation hangs.
"""

from ml.engine.quiet import quieten

quieten()

import keras  # noqa: E402, F401
import tensorflow  # noqa: E402, F401

import ml.child  # noqa: E402, F401
