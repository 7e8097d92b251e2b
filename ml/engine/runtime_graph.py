"""The graph of a training step as TensorFlow will really run it: optimised, and with the shapes of one batch size.

TensorFlow rewrites a traced function before its first call (Grappler): it folds constants, merges sums, drops what
nobody reads. What is left decides which tensors exist. Nothing is executed.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.python.framework.meta_graph import create_meta_graph_def
from tensorflow.python.grappler.tf_optimizer import OptimizeGraph


class RuntimeGraph(NamedTuple):
    """A graph whose shapes are all known, as far as TensorFlow can tell."""

    graph: tf.Graph
    variables: dict[str, tf.Variable]
    """By the name of the operation that stands for it in the graph, a `VarHandleOp`."""


def optimise(step: tf.types.experimental.ConcreteFunction, batch_size: int) -> RuntimeGraph:
    """The graph of a step that was traced for batches of any size, as it runs for this one.

    It is optimised before the size is set: in training, too, the size is not known then, as an epoch's last batch is
    smaller, and so shapes are computed while it runs instead of folded away.
    """
    graph = step.graph
    meta = create_meta_graph_def(graph=graph)
    kept = [tensor.op.name for tensor in step.outputs] + [operation.name for operation in graph.control_outputs]
    meta.collection_def["train_op"].node_list.value.extend(kept)
    optimised = OptimizeGraph(ConfigProto(), meta)
    variables = _captured_variables(step)
    for node in optimised.node:
        node.attr.pop("_output_shapes", None)
        if node.name in variables:
            _show_shape(node, variables[node.name])
        elif node.op == "Placeholder":
            _set_batch_size(node, batch_size)
    made = tf.Graph()
    with made.as_default():
        tf.graph_util.import_graph_def(optimised, name="")
    return RuntimeGraph(made, variables)


def _captured_variables(step: tf.types.experimental.ConcreteFunction) -> dict[str, tf.Variable]:
    """By the name of the placeholder that is fed with it."""
    known = {id(variable.handle): variable for variable in step.graph.variables}
    fed = zip(step.captured_inputs, step.inputs[-len(step.captured_inputs) :], strict=True)
    return {inner.op.name: known[id(outer)] for outer, inner in fed if id(outer) in known}


def _show_shape(node: NodeDef, variable: tf.Variable) -> None:
    """A bare placeholder for a variable hides its shape from whoever reads it; a handle of its own shows it."""
    node.op = "VarHandleOp"
    node.attr.clear()
    node.attr["dtype"].type = variable.dtype.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(variable.shape.as_proto())
    node.attr["shared_name"].s = node.name.encode()


def _set_batch_size(node: NodeDef, batch_size: int) -> None:
    sides = node.attr["shape"].shape.dim
    if sides and sides[0].size == -1:
        sides[0].size = batch_size
