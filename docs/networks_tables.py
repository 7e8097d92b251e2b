"""Writes the tables in `docs/networks.md` from the networks themselves. A test checks that they are in step."""

from __future__ import annotations

from pathlib import Path

from ml.networks import NETWORKS, make_network

PAGE = Path(__file__).with_name("networks.md")
MADE = "made by `python -m docs.networks_tables`"

SIDES_PX = (28, 100, 224)
COMPARED = (("dense", {"hidden": [512, 512]}), ("plain_cnn", {}), ("resnet18", {}))
FLOAT_BYTES = 4


def tables() -> dict[str, str]:
    """Each table by its name in the page, as Markdown."""
    return {"networks": _networks(), "why convolutions": _comparison(), "downsampling": _downsampling()}


def page_with_tables(page: str) -> str:
    """The page with its tables made anew."""
    for name, table in tables().items():
        begin, end = f"<!-- {name}: {MADE} -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"
    return page


def _networks() -> str:
    rows = []
    for name, named in NETWORKS.items():
        network = make_network(name, named.input_shape, named.classes, {}).main
        size = " × ".join(map(str, named.input_shape))
        cells = (size, f"{named.classes:,}", _number(network.parameters), _number(network.trainable_parameters))
        rows.append((f"`{name}`", named.title, *cells, f"{network.multiply_adds / 1e6:,.1f}", named.paper))
    head = ("name", "network", "images", "classes", "parameters", "of them trained", "multiply-adds, millions", "paper")
    return _markdown(head, rows, numbers=range(3, 7))


def _comparison() -> str:
    rows = []
    for side in SIDES_PX:
        for name, options in COMPARED:
            network = make_network(name, (side, side, 3), 10, dict(options))
            first = next(row for row in network.table if row.parameters)
            weights = _megabytes(network.parameters)
            training = _megabytes(network.parameters + 3 * network.trainable_parameters)
            activations = _megabytes(network.activations)
            millions = f"{network.multiply_adds / 1e6:,.1f}"
            cells = (_number(network.parameters), _number(first.parameters), weights, training, activations, millions)
            rows.append((f"{side} × {side}", f"`{name}`", *cells))
    head = (
        "images",
        "network",
        "parameters",
        "of the first layer",
        "weights, MB",
        "weights, gradients and Adam, MB",
        "activations an image, MB",
        "multiply-adds, millions",
    )
    return _markdown(head, rows, numbers=range(2, 8))


def _downsampling() -> str:
    rows = []
    for how in ("max_pooling", "average_pooling", "convolution", "strides"):
        network = make_network("plain_cnn", (32, 32, 3), 10, {"downsampling": how})
        millions = f"{network.multiply_adds / 1e6:,.1f}"
        rows.append((f"`{how}`", _number(network.parameters), millions, _megabytes(network.activations)))
    head = ("`downsampling`", "parameters", "multiply-adds, millions", "activations an image, MB")
    return _markdown(head, rows, numbers=range(1, 4))


def _number(value: int) -> str:
    return f"{value:,}"


def _megabytes(numbers: int) -> str:
    """32-bit floats, in millions of bytes."""
    return f"{numbers * FLOAT_BYTES / 1e6:,.1f}"


def _markdown(head: tuple[str, ...], rows: list[tuple[str, ...]], *, numbers: range) -> str:
    rule = ["---:" if column in numbers else "---" for column in range(len(head))]
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(rule)}|", *(f"| {' | '.join(row)} |" for row in rows), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text()))
