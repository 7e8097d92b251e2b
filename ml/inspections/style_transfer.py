"""`kind: style_transfer`: the pictures are there, and the feature network has the layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ml.inspections.inspection import Inspection
from records.errors import FieldProblem, InvalidSpec, NotFound, shorten
from records.inputs import FirstWeightsInput, Input, PictureInput
from records.library import Library, PictureCard
from records.specs import StyleTransferSpec


def inspect_style_transfer(spec: StyleTransferSpec, library: Library) -> Inspection:
    """Check that pictures, feature network and layers exist, and that masks are of the content's size.

    Raises:
        InvalidSpec: they do not; every problem is listed by path.
    """
    from ml.estimates.painting import PaintingCost
    from ml.networks.feature_networks import candidates
    from ml.style.sizes import fit, plan_levels

    cards = _find_pictures(spec, library)
    _check_features(spec)
    content = cards["content"]
    size = fit(content.height, content.width, spec.size)
    levels = tuple(plan_levels(*size, steps=spec.steps, levels=spec.levels))
    found = candidates(spec.features)
    chosen = found[0]
    for one in found:
        _check_layers(spec, one.name)
    layers = {**(spec.content_layers or chosen.content), **(spec.style_layers or chosen.style)}
    staged: dict[str, Input] = {path: PictureInput(card.picture_id) for path, card in cards.items()}
    return Inspection(
        parameters=levels[-1].height * levels[-1].width * 3,
        inputs={"features": FirstWeightsInput(tuple(one.weights for one in found)), **staged},
        cost=PaintingCost(
            chosen=chosen,
            layers=tuple(layers),
            style_layers=tuple(spec.style_layers or chosen.style),
            levels=levels,
            optimizer=spec.optimizer,
            precision=spec.precision,
            picture_pixels=max(card.width * card.height for card in cards.values()),
        ),
    )


def _find_pictures(spec: StyleTransferSpec, library: Library) -> Mapping[str, PictureCard]:
    """Every picture of the spec, by the path of the field that names it."""
    cards: dict[str, PictureCard] = {}
    problems: list[FieldProblem] = []
    for path, picture_id in spec.pictures.items():
        try:
            cards[path] = library.picture(picture_id)
        except NotFound as error:
            problems.append(FieldProblem(path, error.text))
    problems.extend(_check_masks(cards))
    if problems:
        raise InvalidSpec(problems)
    return cards


def _check_masks(cards: Mapping[str, PictureCard]) -> Iterator[FieldProblem]:
    content = cards.get("content")
    for path, card in cards.items():
        other_size = content and (card.width, card.height) != (content.width, content.height)
        if path.endswith(".mask") and content and other_size:
            yield FieldProblem(
                path,
                f"Expected a mask of the content's size, {content.width:,} × {content.height:,} px, got one of "
                f"{card.width:,} × {card.height:,} px. Draw it over the content.",
            )


def _check_features(spec: StyleTransferSpec) -> None:
    """Layers of one's own are those of one network."""
    from ml.networks.feature_networks import AUTO, FEATURE_NETWORKS

    if spec.features == AUTO and (spec.content_layers or spec.style_layers):
        path = "content_layers" if spec.content_layers else "style_layers"
        text = f"Layers are those of one network: name it in features. There are {', '.join(FEATURE_NETWORKS)}."
        raise InvalidSpec([FieldProblem(path, text)])


def _check_layers(spec: StyleTransferSpec, features: str) -> None:
    """Layers must be maps of the network, on the way to the last of them."""
    from ml.networks import NetworkError
    from ml.networks.cut import cut_after
    from ml.networks.feature_networks import FEATURE_NETWORKS

    chosen = FEATURE_NETWORKS[features]
    network = chosen.draw(224, 224)
    known = [node.name for node in network.layers if len(network.output_shapes[node.name]) == 3]
    problems = []
    for field, layers in (("content_layers", spec.content_layers), ("style_layers", spec.style_layers)):
        for name in layers or ():
            if name not in known:
                text = f"{features} has no layer {shorten(repr(name))} with maps. It has {', '.join(known)}."
                problems.append(FieldProblem(f"{field}.{shorten(name, 60)}", text))
    if problems:
        raise InvalidSpec(problems)
    try:
        cut_after(network, [*(spec.content_layers or chosen.content), *(spec.style_layers or chosen.style)])
    except NetworkError as error:
        raise InvalidSpec(
            [FieldProblem("style_layers", f"These layers cannot be used together. {error.text}")]
        ) from error
