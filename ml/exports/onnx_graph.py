"""An ONNX graph while it is written: nodes, constants, and names for what flows between them. Needs onnx and numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""Of February 2023: old enough for the runtimes that people have."""
BATCH = "batch"

FIRST_TO_LAST, LAST_TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


class Graph:
    """Collects nodes in order. Every tensor is called after the node that makes it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def add(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        self._nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        """Add an array, or a number; returns its name."""
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(np.asarray(value, dtype)), name)
        return name

    def to_last(self, tensor: str, name: str) -> str:
        """Maps as Keras has them, `[batch, height, width, channels]`."""
        return self.add("Transpose", [tensor], name, perm=FIRST_TO_LAST)

    def to_first(self, tensor: str, name: str) -> str:
        """Maps as ONNX has them, `[batch, channels, height, width]`."""
        return self.add("Transpose", [tensor], name, perm=LAST_TO_FIRST)

    def finish(
        self,
        *,
        taken: tuple[str, Sequence[int]],
        given: tuple[str, Sequence[int]],
        about: Mapping[str, str],
    ) -> onnx.ModelProto:
        """The model, checked.

        Args:
            taken: name and shape of the input, without the batch.
            given: name and shape of the output, likewise.
            about: what the metadata should say.

        Raises:
            onnx.checker.ValidationError, onnx.shape_inference.InferenceError: it is not sound.
        """
        values = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, *shape]) for name, shape in (taken, given)
        ]
        graph = helper.make_graph(self._nodes, self._name, values[:1], values[1:], list(self._constants.values()))
        opset = helper.make_opsetid("", OPSET)
        version = helper.find_min_ir_version_for([opset])
        model = helper.make_model(graph, opset_imports=[opset], ir_version=version, producer_name="trainyard")
        helper.set_model_props(model, dict(about))
        onnx.checker.check_model(model, full_check=True)
        return model
