"""What can be asked about a network before anything is submitted: which network, for which images."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ml.inspections.inspection import find_in
from ml.networks import NETWORKS, Network, NetworkError, draw_network
from records.errors import FieldProblem, InvalidSpec
from records.library import CatalogueLibrary, DatasetCard, Library
from records.specs import NetworkSpec
from records.specs.base import Strict

Side = Annotated[int, Field(ge=1, le=8_192)]
Channels = Annotated[int, Field(ge=1, le=1_024)]


class DescribeRequest(Strict):
    """A network, and the images that it is for: a dataset's, or of any shape and number of classes.

    A named network is described for the images of its paper where nothing is said of them.
    """

    network: NetworkSpec
    dataset: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """A dataset of the yard, instead of a shape and classes. One whose images differ in size needs an input_shape."""
    input_shape: tuple[Side, Side, Channels] | None = None
    """Height, width, channels."""
    classes: Annotated[int, Field(ge=2, le=100_000)] | None = None

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> DescribeRequest:
        if self.dataset is not None and self.classes:
            raise ValueError("Expected either a dataset or an input_shape and classes, got both")
        return self


def ask_network(asked: DescribeRequest, library: Library | None = None) -> Network:
    """The network that was asked about.

    Args:
        asked: the question.
        library: where its dataset is looked up; the catalogue alone when left out.

    Raises:
        InvalidSpec: there is no such network or dataset, or they do not fit; every problem is named by its path.
    """
    input_shape, classes = _images(asked, library or CatalogueLibrary())
    try:
        return draw_network(asked.network, input_shape, classes)
    except NetworkError as error:
        raise InvalidSpec(error.problems) from error


def _images(asked: DescribeRequest, library: Library) -> tuple[tuple[int, int, int], int]:
    if asked.dataset is not None:
        card = find_in(library, asked.dataset)
        return _shape_for(card, asked.input_shape), len(card.classes)
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


def _shape_for(card: DatasetCard, asked: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """The shape of a dataset's images; where their sizes differ, the one that they are to be brought to."""
    if card.image_shape is not None and asked is None:
        return card.image_shape
    if card.image_shape is not None:
        text = f"Expected none, as every image of {card.ref} is {card.image_shape}, got {asked}."
    elif asked is None:
        text = f"The images of {card.ref} differ in size: say which shape they are brought to, such as (224, 224, 3)."
    elif asked[-1] != card.channels:
        text = f"Expected {card.channels} channels, as {card.ref} has, got {asked[-1]}."
    else:
        return asked
    raise InvalidSpec([FieldProblem("input_shape", text)])
