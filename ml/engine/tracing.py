"""The peak of a training step read off its trace: nothing is executed. TensorFlow only.

The step is traced as for training; then its operations are run in memory alone, in the order in which a dataflow
executor with one queue would take them, every tensor freed after its last reader (`ml.estimates.lifetimes`).
"""

from __future__ import annotations

from collections import deque
from math import prod

import tensorflow as tf

from ml.engine.build import build_model
from ml.engine.optimizers import make_optimizer
from ml.engine.steps import TrainingSteps
from ml.estimates import Peak, Plan, Training
from ml.estimates.lifetimes import Operation, Size
from ml.networks import Network
from records.specs.train import SGD, Optimizer

VIEWS = frozenset(
    {"Identity", "Reshape", "ReadVariableOp", "StopGradient", "PreventGradient", "Squeeze", "ExpandDims", "Snapshot"}
)
"""Operations whose output is their first input's memory, or a variable's."""
TIED_TOGETHER = "IdentityN"
"""Ties all gradients of weights together in the trace, and is gone when it runs."""
_WRITE_OVER = """
Abs Add AddN AddV2 BiasAdd Div DivNoNan Elu EluGrad Erf Exp Log Maximum Minimum Mul Neg Pow RealDiv Relu Relu6
Relu6Grad ReluGrad Rsqrt RsqrtGrad SelectV2 Sigmoid SigmoidGrad Softmax Softplus Sqrt SqrtGrad Square
SquaredDifference Sub Tanh TanhGrad
"""
IN_PLACE = frozenset(_WRITE_OVER.split())
"""Operations that write over an input of the same size where nobody else reads it."""


def trace_peak(
    network: Network, *, batch_size: int, optimizer: Optimizer, data_bytes: int = 0, kind: str = "cpu"
) -> Peak:
    """The peak of the recipe's step for this network, from its trace: seconds, not milliseconds.

    Args:
        network: what to train.
        batch_size: images a step.
        optimizer: with it.
        data_bytes: the training split, which lies in the CPU's memory.
        kind: of the device, `cpu` or `gpu`.
    """
    graph = trace_step(network, batch_size=batch_size, optimizer=optimizer)
    training = Training(network, _plan(batch_size, optimizer), data_bytes=data_bytes, operations=list_operations(graph))
    return training.peak(batch_size, kind="gpu" if kind == "gpu" else "cpu")


def trace_step(network: Network, *, batch_size: int, optimizer: Optimizer) -> tf.Graph:
    """The graph of one optimizer step, as `ml.engine.steps` runs it in its loop."""
    model = build_model(network, seed=0)
    steps = TrainingSteps.of(model, make_optimizer(optimizer), auxiliary=network.auxiliary)
    return steps.trace(batch_size).graph


def list_operations(graph: tf.Graph) -> list[Operation]:
    """The graph's operations in the order of a dataflow queue, with what they read and make."""
    owner: dict[str, str] = {}
    """By tensor, the one in whose memory it lies; empty where that is a variable or a constant."""
    needed = _needed(graph)
    ordered = [op for op in _in_queue_order(graph) if op.name in needed and op.type != TIED_TOGETHER]
    return [_operation(op, owner) for op in ordered]


def _operation(op: tf.Operation, owner: dict[str, str]) -> Operation:
    inputs = tuple(name for name in (owner.get(_source(tensor).name, "") for tensor in op.inputs) if name)
    if op.type in VIEWS or op.type in ("Const", "Placeholder") or _is_times_one(op):
        source = inputs[0] if inputs and op.type != "ReadVariableOp" else ""
        for tensor in op.outputs:
            owner[tensor.name] = source
        return Operation(op.name, inputs)
    makes = tuple((tensor.name, Size(fixed=_bytes(tensor))) for tensor in op.outputs if _bytes(tensor))
    for tensor in op.outputs:
        owner[tensor.name] = tensor.name if _bytes(tensor) else ""
    if op.type == "MaxPool":
        makes += ((f"{op.name}/places", Size(fixed=prod(op.outputs[0].shape))),)
    return Operation(op.name, inputs, makes, inputs if op.type in IN_PLACE else ())


def _needed(graph: tf.Graph) -> set[str]:
    """The operations that something comes of; TensorFlow leaves out the others, such as gradients of constants."""
    ends = [op for op in graph.get_operations() if op.op_def.is_stateful]
    ends += [_source(tensor).op for tensor in graph.outputs]
    needed, waiting = set(), deque(ends)
    while waiting:
        op = waiting.popleft()
        if op.name not in needed:
            needed.add(op.name)
            waiting.extend(_source(tensor).op for tensor in op.inputs)
            waiting.extend(op.control_inputs)
    return needed


def _in_queue_order(graph: tf.Graph) -> list[tf.Operation]:
    """First ready, first run."""
    waits: dict[str, int] = {}
    readers: dict[str, list[tf.Operation]] = {}
    for op in graph.get_operations():
        before = [_source(tensor).op for tensor in op.inputs] + list(op.control_inputs)
        if op.type == TIED_TOGETHER:
            before = []
        waits[op.name] = len(before)
        for source in before:
            readers.setdefault(source.name, []).append(op)
    ready = deque(op for op in graph.get_operations() if not waits[op.name])
    order = []
    while ready:
        op = ready.popleft()
        order.append(op)
        for reader in readers.get(op.name, ()):
            waits[reader.name] -= 1
            if not waits[reader.name]:
                ready.append(reader)
    return order


def _is_times_one(op: tf.Operation) -> bool:
    """A product with a constant of 1, as in SiLU, which TensorFlow leaves out when it runs the graph."""
    if op.type != "Mul" or not any(tensor.op.type == "Const" for tensor in op.inputs):
        return False
    values = [tf.get_static_value(tensor) for tensor in op.inputs if tensor.op.type == "Const"]
    return all(value.size == 1 and float(value.ravel()[0]) == 1.0 for value in values)


def _source(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor itself, before it was tied to others in a knot that TensorFlow unties before it runs the graph."""
    while tensor.op.type == TIED_TOGETHER:
        tensor = tensor.op.inputs[tensor.value_index]
    return tensor


def _bytes(tensor: tf.Tensor) -> int:
    if tensor.dtype in (tf.resource, tf.variant, tf.string) or not tensor.shape.is_fully_defined():
        return 0
    return prod(tensor.shape) * tensor.dtype.size


def _plan(batch_size: int, optimizer: Optimizer) -> Plan:
    if isinstance(optimizer, SGD):
        return Plan(batch_size, "momentum" if optimizer.momentum else "sgd")
    return Plan(batch_size, optimizer.name)
