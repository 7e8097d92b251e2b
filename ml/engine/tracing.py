"""The peak of a training step read off its trace: nothing is executed. TensorFlow only.

The step is traced and optimised as for training (`ml.engine.runtime_graph`). Then its operations are run in memory
alone, in the order in which TensorFlow's executor takes them up with two threads (`ml.estimates.executor`), every
tensor freed after its last reader (`ml.estimates.lifetimes`), by a model of the allocator.

What that has in it and a walk from first to last has not:
- while a gradient of a layer's weights waits for its update, the other thread goes on and makes the next ones;
- a variable that is updated while somebody still reads it is copied first (`PrepareToUpdateVariable`): the update of
  a layer often overtakes the gradient of its input, which reads the same weights;
- AdamW's decay replaces all weights at the beginning, and the old ones live until the backward pass has read them;
- weights move when they are replaced, and fill other gaps than before: later steps take more than the first. So some
  steps are run one after the other, each in a slightly different order, and the worst counts.
"""

from __future__ import annotations

from math import prod

import keras
import tensorflow as tf

from ml.engine.build import build_model
from ml.engine.freezing import PartialForward, freeze
from ml.engine.optimizers import make_optimizer
from ml.engine.runtime_graph import RuntimeGraph, optimise
from ml.engine.steps import RateGroup, TrainingSteps
from ml.engine.work import CHEAP, VIEWS, seconds, size_bytes
from ml.estimates import Peak
from ml.estimates.executor import Task
from ml.estimates.ground import Ground
from ml.estimates.lifetimes import Operation, Size
from ml.estimates.refined import TracedStep, peak_of_steps
from ml.networks import Network
from records.specs.train import Optimizer

UPDATES = frozenset({"AssignAddVariableOp", "AssignSubVariableOp"})
REPLACES = frozenset({"AssignVariableOp"})
_WRITE_OVER = """
Abs Add AddN AddV2 BiasAdd Div DivNoNan Elu EluGrad Erf Exp Log LogSoftmax Maximum Minimum Mul Neg Pow RealDiv Relu
Relu6 Relu6Grad ReluGrad Rsqrt RsqrtGrad Select SelectV2 Sigmoid SigmoidGrad Softmax Softplus Sqrt SqrtGrad Square
SquaredDifference Sub Tanh TanhGrad
"""
IN_PLACE = frozenset(_WRITE_OVER.split())
"""Operations that write over an input of the same size where nobody else reads it."""


def trace_peak(
    network: Network,
    *,
    batch_size: int,
    optimizer: Optimizer,
    data_bytes: int = 0,
    augmented: bool = False,
    frozen: frozenset[str] = frozenset(),
    kind: str = "cpu",
    threads: int = 2,
) -> Peak:
    """The peak of the recipe's step for this network, from its trace: seconds, not milliseconds.

    The weights and the optimizer's slots are made, as tracing needs them, so it takes their memory.

    Args:
        network: what to train.
        batch_size: images a step.
        optimizer: with it.
        data_bytes: the training split, which lies in the CPU's memory.
        augmented: whether images come as 32-bit numbers from the augmentation, instead of as bytes.
        frozen: layers that run as after training.
        kind: of the device, `cpu` or `gpu`.
        threads: that TensorFlow runs operations with.
    """
    model, made = build_model(network, seed=0), make_optimizer(optimizer)
    steps = _steps(model, network, made, frozen)
    images = tf.float32 if augmented else tf.uint8
    graph = optimise(steps.trace(images), batch_size)
    ground = Ground(
        weights=_sizes([weight for node in network.layers for weight in model.get_layer(node.name).variables], graph),
        slots=_sizes(made.variables, graph),
        data=data_bytes,
        batch=batch_size * prod(network.input_shape) * images.size,
    )
    return peak_of_steps(read_step(graph), ground, kind="gpu" if kind == "gpu" else "cpu", threads=threads)


def _steps(
    model: keras.Model, network: Network, optimizer: keras.optimizers.Optimizer, frozen: frozenset[str]
) -> TrainingSteps:
    if not frozen:
        return TrainingSteps.of(model, optimizer, auxiliary=network.auxiliary)
    forward = PartialForward(model, network, freeze(model, network, frozen, train_norms=True))
    learning = [variable for found in forward.variables_by_layer.values() for variable in found]
    return TrainingSteps(forward, [RateGroup(optimizer, learning)], class_weights=None)


def read_step(graph: RuntimeGraph) -> TracedStep:
    """What each operation reads, makes and changes, and who waits for it."""
    reading = _Reading()
    found = graph.graph.get_operations()
    numbers = {op.name: number for number, op in enumerate(found)}
    readers: list[list[int]] = [[] for _ in found]
    for number, op in enumerate(found):
        for source in (*(tensor.op for tensor in op.inputs), *op.control_inputs):
            readers[numbers[source.name]].append(number)
    return TracedStep(
        operations=[reading.operation(op) for op in found],
        tasks=[Task(seconds(op), op.type in CHEAP, tuple(r)) for op, r in zip(found, readers, strict=True)],
    )


class _Reading:
    """Reads the operations of a graph, in its order."""

    def __init__(self) -> None:
        self._owner: dict[str, str] = {}
        """By tensor, the one in whose memory it lies; empty where that is no memory that counts."""

    def operation(self, op: tf.Operation) -> Operation:
        """What an operation does to memory."""
        reads = tuple(name for name in (self._owner.get(tensor.name, "") for tensor in op.inputs) if name)
        if op.type == "ReadVariableOp":
            name = op.outputs[0].name
            self._owner[name] = name
            return Operation(op.name, makes=((name, Size()),), views=op.inputs[0].op.name)
        if op.type in UPDATES:
            return Operation(op.name, reads, updates=op.inputs[0].op.name)
        if op.type in REPLACES:
            return Operation(op.name, reads, replaces=op.inputs[0].op.name)
        if op.type in VIEWS:
            self._owner |= {tensor.name: reads[0] if reads else "" for tensor in op.outputs}
            return Operation(op.name, reads)
        return self._making(op, reads)

    def _making(self, op: tf.Operation, reads: tuple[str, ...]) -> Operation:
        makes = tuple((tensor.name, Size(fixed=size_bytes(tensor))) for tensor in op.outputs if op.type != "Const")
        makes = tuple((name, size) for name, size in makes if size.fixed)
        self._owner |= {name: name for name, _ in makes}
        if op.type == "MaxPool":  # where each largest value was, for the way back
            places = f"{op.outputs[0].name}/places"
            makes += ((places, Size(fixed=prod(op.outputs[0].shape))),)
        if op.type == "MaxPoolGrad":
            reads += (f"{op.inputs[1].name}/places",)
        return Operation(op.name, reads, makes, reads if op.type in IN_PLACE else ())


def _sizes(variables: list[keras.Variable], graph: RuntimeGraph) -> list[tuple[str, int]]:
    """Name in the graph and bytes of each variable that the step uses, in their order."""
    names = {id(variable.handle): name for name, variable in graph.variables.items()}
    found = [(names.get(id(variable.value.handle)), variable.value) for variable in variables]
    return [(name, prod(value.shape) * value.dtype.size) for name, value in found if name]
