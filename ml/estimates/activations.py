"""What the gradients of activations need, and how grouped convolutions run."""

from __future__ import annotations

NEEDS_OUTPUT = frozenset({"relu", "relu6", "tanh", "sigmoid", "elu", "softmax"})
"""Activations whose gradient needs what came out; that of the others needs what went in."""
NEEDS_INNER_ALONE = frozenset({"scaled_tanh", "hard_sigmoid", "gelu"})
"""Activations whose gradient needs neither, but the arrays in between."""
INNER = {"gelu": 3, "scaled_tanh": 1, "hard_sigmoid": 1, "hard_silu": 2}
"""Arrays between input and output that the gradient of an activation needs too."""
SPLIT_GROUPS = 8
"""`ml.engine.build.MOST_SPLIT_GROUPS`: convolutions in as many groups run as one a group."""
