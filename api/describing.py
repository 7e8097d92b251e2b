"""What can be asked about a network before anything is submitted: which network, for which images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ml.networks import NETWORKS, Network, NetworkError, draw_network
from records.catalogue import find_dataset
from records.errors import FieldProblem, InvalidSpec, NotFound
from records.specs import NetworkSpec
from records.specs.base import Strict

Side = Annotated[int, Field(ge=1, le=8_192)]
Channels = Annotated[int, Field(ge=1, le=1_024)]


class DescribeRequest(Strict):
    """A network, and the images that it is for: a dataset's, or of any shape and number of classes.

    A named network is described for the images of its paper where nothing is said of them.
    """

    network: NetworkSpec
    dataset: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """A dataset of the yard, instead of a shape and classes."""
    input_shape: tuple[Side, Side, Channels] | None = None
    """Height, width, channels."""
    classes: Annotated[int, Field(ge=2, le=100_000)] | None = None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> DescribeRequest:
        if self.dataset is not None and (self.input_shape or self.classes):
            raise ValueError("Expected either a dataset or an input_shape and classes, got both")
        return self


def ask_network(asked: DescribeRequest) -> Network:
    """The network that was asked about.

    Raises:
        InvalidSpec: there is no such network or dataset, or they do not fit; every problem is named by its path.
    """
    input_shape, classes = _images(asked)
    try:
        return draw_network(asked.network, input_shape, classes)
    except NetworkError as error:
        raise InvalidSpec(error.problems) from error


def _images(asked: DescribeRequest) -> tuple[tuple[int, int, int], int]:
    if asked.dataset is not None:
        try:
            dataset = find_dataset(asked.dataset)
        except NotFound as error:
            raise InvalidSpec([FieldProblem("dataset", error.text)]) from error
        return dataset.image_shape, len(dataset.classes)
    named = NETWORKS.get(asked.network.name or "")
    input_shape = asked.input_shape or (named.input_shape if named else None)
    classes = asked.classes or (named.classes if named else None)
    if input_shape is not None and classes is not None:
        return input_shape, classes
    if asked.network.name is not None:  # a name that nobody knows: tell that, and not what is missing besides
        return input_shape or (224, 224, 3), classes or 1000
    missing = [name for name, value in (("input_shape", input_shape), ("classes", classes)) if value is None]
    text = "Layers of one's own need an input_shape and classes, or a dataset, to be described."
    raise InvalidSpec([FieldProblem(name, text) for name in missing])
