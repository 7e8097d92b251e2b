"""Going forward without keeping what the backward pass can compute again: time for memory. TensorFlow only.

`keras.RematScope` does not do here: Keras 3.15 wraps each layer by itself, which keeps the input of every layer; it
fails in a compiled step ("custom_gradient … keywords arguments only when eager execution is enabled"); and dropout
would draw other numbers the second time. Here whole stretches of layers are run again, from the same random states, and
without moving the averages of batch normalisation twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import keras
import tensorflow as tf

from ml.networks import IMAGES, LOGITS, Auxiliary, Network, Node
from ml.networks.stretches import Stretch, cut_into_stretches

Run = Callable[..., tuple[tf.Tensor, ...]]


class WholeForward(Protocol):
    """A forward pass that keeps everything: `ml.engine.steps.Forward` or `ml.engine.freezing.PartialForward`."""

    @property
    def variables(self) -> Sequence[keras.Variable]: ...

    @property
    def losses(self) -> Sequence[tf.Tensor]: ...

    @property
    def input_shape(self) -> tuple[int, ...]: ...


class RecomputedForward:
    """The same as another forward pass, in stretches that are computed again in the backward pass.

    Args:
        forward: the other.
        model: of the network.
        network: as data.
        auxiliary: heads besides the logits that training wants.
        still: layers that run as after training.
        start: the layer whose output comes in; the images themselves when left out.
    """

    def __init__(
        self,
        forward: WholeForward,
        model: keras.Model,
        network: Network,
        *,
        auxiliary: Sequence[Auxiliary] = (),
        still: Collection[str] = (),
        start: str = IMAGES,
    ) -> None:
        self._forward, self._model = forward, model
        self._start, self._still = start, frozenset(still)
        self._ends = (LOGITS, *(head.name for head in auxiliary))
        self._stretches = cut_into_stretches(network, nodes_between(network, start), ends=self._ends, start=start)

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Logits `[batch, classes]` by name, of images or of what comes in for them."""
        tensors = {self._start: tf.cast(images, tf.float32)}
        for stretch in self._stretches:
            run = self._runner(stretch)
            if stretch is not self._stretches[-1]:  # the last goes backwards at once, and keeps what it made
                run = _computed_again(run, self._random_states(stretch))
            tensors |= zip(stretch.gives, run(*(tensors[name] for name in stretch.takes)), strict=True)
        return {name: tensors[name] for name in self._ends}

    @property
    def variables(self) -> Sequence[keras.Variable]:
        """What training changes, in the order of the other."""
        return self._forward.variables

    @property
    def losses(self) -> Sequence[tf.Tensor]:
        """What the layers add to the loss."""
        return self._forward.losses

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one image, or of what comes in for it."""
        return self._forward.input_shape

    def _runner(self, stretch: Stretch) -> Run:
        def run(*given: tf.Tensor) -> tuple[tf.Tensor, ...]:
            tensors = dict(zip(stretch.takes, given, strict=True))
            for node in stretch.nodes:
                inputs = [tensors[name] for name in node.inputs]
                layer = self._model.get_layer(node.name)
                tensors[node.name] = layer(
                    inputs if len(inputs) > 1 else inputs[0], training=node.name not in self._still
                )
            return tuple(tensors[name] for name in stretch.gives)

        return run

    def _random_states(self, stretch: Stretch) -> list[keras.Variable]:
        """What the layers hold besides weights: the states of their random generators."""
        layers = [self._model.get_layer(node.name) for node in stretch.nodes]
        weights = {id(weight) for layer in layers for weight in layer.weights}
        return [held for layer in layers for held in layer.variables if id(held) not in weights]


def nodes_between(network: Network, start: str, end: str = LOGITS) -> tuple[Node, ...]:
    """The layers behind one and up to another, in their order."""
    names = [node.name for node in network.layers]
    first = 0 if start == IMAGES else names.index(start) + 1
    return network.layers[first : names.index(end) + 1]


def _computed_again(run: Run, random_states: Sequence[keras.Variable]) -> Run:
    """The same function, of which only inputs and outputs are kept for the backward pass."""

    @tf.custom_gradient
    def once(*inputs: tf.Tensor):  # type: ignore[no-untyped-def]
        before = [tf.identity(state.value) for state in random_states]
        outputs = run(*inputs)

        def backward(*gradients: tf.Tensor, variables: Sequence[tf.Variable] = ()):  # type: ignore[no-untyped-def]
            nothing = _nothing_after(gradients[0])
            drawn = list(zip(random_states, before, strict=True))
            # In this scope nothing is assigned: averages have moved already, and the same numbers are drawn again.
            with keras.StatelessScope(state_mapping=drawn), tf.GradientTape() as tape:
                again = [given + tf.cast(nothing, given.dtype) for given in inputs]
                tape.watch(again)
                made = run(*again)
            found = tape.gradient(made, [*again, *variables], output_gradients=list(gradients))
            return found[: len(inputs)], found[len(inputs) :]

        return outputs, backward

    return once


def _nothing_after(gradient: tf.Tensor) -> tf.Tensor:
    """Zero, but only once a gradient is there: who adds it waits, and so is not merged with the first computation."""
    first = tf.reshape(gradient, [-1])[:1]
    return tf.reduce_sum(tf.minimum(tf.abs(tf.cast(first, tf.float32)), 0.0))
