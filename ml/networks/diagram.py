"""A network as a drawing: one SVG, from top to bottom, branches side by side, blocks that repeat drawn once. Pure.

It is light or dark as the reader's screen is, loads nothing and runs nothing. Every text in it is escaped: names of
layers come from people.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from html import escape

from ml.networks.diagram_boxes import Box, Section, make_boxes, make_sections
from ml.networks.diagram_layout import SOURCE, Layout, lay_out
from ml.networks.graph import Network, Node

BOX_PX, LINE_PX, PADDING_PX = 232, 16, 9
GAP_PX, RANK_GAP_PX, WIRE_PX = 22, 34, 26
MARGIN_PX, FRAME_PX = 20, 12

FAMILIES = {
    "Dense": "dense",
    **dict.fromkeys(
        ("Conv2D", "PartialConv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"), "convolution"
    ),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D", "TrainableSubsampling2D"), "pooling"),
    **dict.fromkeys(("GlobalAveragePooling2D", "GlobalMaxPooling2D"), "pooling"),
    **dict.fromkeys(("Add", "Multiply", "Concatenate"), "join"),
}
"""The colour that a box has, by the type of its first layer; others are plain."""

STYLE = """
svg { color-scheme: light dark; background: #ffffff;
  font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
text { fill: #17202b; } .soft { fill: #55616f; font-size: 11px; } .name { font-weight: 600; }
.box rect { fill: #f3f5f8; stroke: #b3bcc7; } .box .edge { fill: #8a95a3; stroke: none; }
.convolution rect { fill: #e7effa; } .convolution .edge { fill: #1c6fc4; }
.dense rect { fill: #fbeee4; } .dense .edge { fill: #c2500a; }
.pooling rect { fill: #e6f4ea; } .pooling .edge { fill: #1a7a41; }
.join rect { fill: #f1eafa; } .join .edge { fill: #7a45b8; }
.auxiliary > rect:first-of-type { stroke-dasharray: 4 3; }
.wire { fill: none; stroke: #76828f; stroke-width: 1.5; } .tip { fill: #76828f; }
.frame { fill: none; stroke: #8a95a3; stroke-dasharray: 6 4; } .times { font-weight: 700; font-size: 13px; }
@media (prefers-color-scheme: dark) {
  svg { background: #1a2129; }
  text { fill: #e6ebf1; } .soft { fill: #a2adba; }
  .box rect { fill: #232c36; stroke: #566372; } .box .edge { fill: #8793a1; }
  .convolution rect { fill: #1d2d42; } .convolution .edge { fill: #6bb0ff; }
  .dense rect { fill: #3d2a1c; } .dense .edge { fill: #ff9d5c; }
  .pooling rect { fill: #19352a; } .pooling .edge { fill: #7fd8a0; }
  .join rect { fill: #30263f; } .join .edge { fill: #c39bf0; }
  .wire { stroke: #8793a1; } .tip { fill: #8793a1; } .frame { stroke: #6b7886; }
}
"""


def draw_svg(network: Network) -> str:
    """The drawing as an SVG document."""
    boxes = make_boxes(network)
    sheet = _Sheet()
    sheet.draw_box(boxes[0], 0.0, 0.0)
    y = _height(boxes[0])
    for section in make_sections(boxes):
        y = _draw_section(sheet, section, y)
    return sheet.to_svg(network)


def style_hash() -> str:
    """The source that a Content-Security-Policy must allow for the drawing's style to hold."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"


# ── one section ──────────────────────────────────────────────────────────────────────────────────────────────


def _draw_section(sheet: _Sheet, section: Section, top: float) -> float:
    """Draw a section whose source ends at `top`, in the middle; returns where its last box ends."""
    layout = lay_out(section)
    framed = section.repeats > 1
    places = _Places(section, layout, top, extra=FRAME_PX if framed else 0)
    for start, end in layout.wires:
        sheet.draw_wire(places.route(start, end))
    for index, box in enumerate(section.boxes):
        sheet.draw_box(box, places.x[index], places.tops[layout.ranks[index]])
    if not framed:
        return places.bottom
    left, right = places.sides
    sheet.draw_line(places.x[len(section.boxes) - 1], places.bottom, places.bottom + FRAME_PX)
    sheet.draw_frame(left - FRAME_PX, places.tops[1] - FRAME_PX, right + FRAME_PX, places.bottom + FRAME_PX, section)
    return places.bottom + FRAME_PX


class _Places:
    """Coordinates of one section: x by box and lane, tops and bottoms by rank."""

    def __init__(self, section: Section, layout: Layout, top: float, *, extra: int) -> None:
        self._layout = layout
        heights = [0] * (layout.height + 1)
        for index, box in enumerate(section.boxes):
            heights[layout.ranks[index]] = max(heights[layout.ranks[index]], _height(box))
        self.tops, self._bottoms = [top], [top]
        for rank in range(1, layout.height + 1):
            self.tops.append(self._bottoms[-1] + RANK_GAP_PX + (extra if rank == 1 else 0))
            self._bottoms.append(self.tops[-1] + heights[rank])
        self._lane_x = _lane_positions(layout)
        last = len(section.boxes) - 1
        self.x = {SOURCE: 0.0, **{index: self._lane_x[lane] for index, lane in layout.lanes.items()}, last: 0.0}
        self._ends = {
            index: self.tops[layout.ranks[index]] + _height(box) for index, box in enumerate(section.boxes)
        } | {SOURCE: top}

    @property
    def bottom(self) -> float:
        """Where the last box ends."""
        return self._bottoms[-1]

    @property
    def sides(self) -> tuple[float, float]:
        """The left and the right edge of all boxes and wires."""
        half = BOX_PX / 2
        passing = [self._lane_x[lane] for lane in self._layout.passing.values()]
        return min([*(x - half for x in self.x.values()), *passing]), max(
            [*(x + half for x in self.x.values()), *passing]
        )

    def route(self, start: int, end: int) -> list[tuple[float, float]]:
        """The points of a wire: pairs of one x go straight down, others bend in the gap between two ranks."""
        above, below = self._layout.ranks[start], self._layout.ranks[end]
        points = [(self.x[start], self._ends[start]), (self.x[start], self._bottoms[above])]
        if below > above + 1:
            lane_x = self._lane_x[self._layout.passing[start]]
            points += [(lane_x, self.tops[above + 1]), (lane_x, self._bottoms[below - 1])]
        return [*points, (self.x[end], self.tops[below])]


def _lane_positions(layout: Layout) -> list[float]:
    """The middle of each lane; the lanes with boxes are centred, and lanes of wires alone are narrow."""
    boxed = set(layout.lanes_with_boxes) if layout.height > 1 else {0}
    positions, edge = [], 0.0
    for lane in range(layout.lane_count):
        width = BOX_PX if lane in boxed else WIRE_PX
        positions.append(edge + width / 2)
        edge += width + GAP_PX
    inner = [positions[lane] for lane in boxed]
    middle = (min(inner) + max(inner)) / 2
    return [position - middle for position in positions]


# ── marks ────────────────────────────────────────────────────────────────────────────────────────────────────


class _Sheet:
    """Collects marks and how far they reach."""

    def __init__(self) -> None:
        self._wires: list[str] = []
        self._boxes: list[str] = []
        self._left = self._right = self._bottom = 0.0

    def draw_box(self, box: Box, x: float, top: float) -> None:
        """A box with its texts, its middle at x."""
        left, height = x - BOX_PX / 2, _height(box)
        family = "plain" if box.is_input else FAMILIES.get(box.nodes[0].layer.type, "plain")
        auxiliary = " auxiliary" if box.auxiliary else ""
        first = top + PADDING_PX + 11
        lines = "".join(
            f'<text x="{_n(left + 14)}" y="{_n(first + LINE_PX * number)}" class="{style}">{_xml(text)}</text>'
            for number, (text, style) in enumerate(_lines(box))
        )
        self._boxes.append(
            f'<g class="box {family}{auxiliary}"><title>{_xml(_full_text(box))}</title>'
            f'<rect x="{_n(left)}" y="{_n(top)}" width="{BOX_PX}" height="{height}" rx="6"/>'
            f'<rect class="edge" x="{_n(left)}" y="{_n(top)}" width="5" height="{height}" rx="2.5"/>{lines}</g>'
        )
        self._reach(left, left + BOX_PX, top + height)

    def draw_wire(self, points: Sequence[tuple[float, float]]) -> None:
        """A wire from box to box, with a tip at its end."""
        (x, y), *rest = points
        path = [f"M{_n(x)} {_n(y)}"]
        for next_x, next_y in rest:
            middle = (y + next_y) / 2
            bend = f"C{_n(x)} {_n(middle)} {_n(next_x)} {_n(middle)} {_n(next_x)} {_n(next_y)}"
            path.append(f"V{_n(next_y)}" if next_x == x else bend)
            x, y = next_x, next_y
            self._reach(x, x, y)
        tip = f'<path class="tip" d="M{_n(x)} {_n(y)}l-4 -7h8z"/>'
        self._wires.append(f'<path class="wire" d="{"".join(path)}"/>{tip}')

    def draw_line(self, x: float, top: float, bottom: float) -> None:
        """A wire's beginning, straight down."""
        self._wires.append(f'<path class="wire" d="M{_n(x)} {_n(top)}V{_n(bottom)}"/>')

    def draw_frame(self, left: float, top: float, right: float, bottom: float, section: Section) -> None:
        """A frame round a section that is drawn once and stands for several."""
        parameters = sum(box.parameters for box in section.boxes)
        counted = f" · {parameters:,} parameters each" if parameters else ""
        names = f"{_cut_text(section.boxes[0].name, 24)} … {_cut_text(section.last_name, 24)}"
        self._boxes.append(
            f'<rect class="frame" x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" height="{_n(bottom - top)}" '
            f'rx="10"/><text class="times" x="{_n(right + 8)}" y="{_n(top + 16)}">× {section.repeats}</text>'
            f'<text class="soft" x="{_n(right + 8)}" y="{_n(top + 32)}">{_xml(names)}</text>'
            f'<text class="soft" x="{_n(right + 8)}" y="{_n(top + 47)}">{_xml(counted.removeprefix(" · "))}</text>'
        )
        self._reach(left, right + 200, bottom)

    def to_svg(self, network: Network) -> str:
        """The whole document."""
        left, top = self._left - MARGIN_PX, -MARGIN_PX
        width, height = self._right - left + MARGIN_PX, self._bottom - top + MARGIN_PX
        title = f"{network.name} for images of {_shape(network.input_shape)}: {network.parameters:,} parameters"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_n(width)}" height="{_n(height)}" '
            f'viewBox="{_n(left)} {_n(top)} {_n(width)} {_n(height)}">'
            f"<title>{_xml(title)}</title><style>{STYLE}</style>"
            f"{''.join(self._wires)}{''.join(self._boxes)}</svg>\n"
        )

    def _reach(self, left: float, right: float, bottom: float) -> None:
        self._left, self._right = min(self._left, left), max(self._right, right)
        self._bottom = max(self._bottom, bottom)


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _height(box: Box) -> int:
    return 2 * PADDING_PX + LINE_PX * len(list(_lines(box)))


def _lines(box: Box) -> Iterator[tuple[str, str]]:
    """The texts of a box with their styles."""
    yield _cut_text(box.name, 30), "name"
    rest = box.nodes
    if not box.is_input:
        yield _cut_text(_words(rest[0]), 32), ""
        rest = rest[1:]
    if rest:
        yield _cut_text("+ " + ", ".join(_words(node) for node in rest), 35), "soft"
    counted = f" · {box.parameters:,} parameters" if box.parameters else ""
    yield f"{_shape(box.output_shape)}{counted}", "soft"


def _words(node: Node) -> str:
    """`Conv2D 3×3 /2`, `Dropout 0.5`, `relu`."""
    options = node.layer.options()
    if node.layer.type == "Activation":
        return str(options["activation"])
    window = options.get("kernel_size") or options.get("pool_size")
    if window is None:
        return f"{node.layer.type} {options['rate']:g}" if "rate" in options else node.layer.type
    strides = options.get("strides") or options.get("pool_size", (1, 1))
    step = "" if strides == (1, 1) else f" /{strides[0]}" if strides[0] == strides[1] else f" /{_shape(strides)}"
    return f"{node.layer.type} {window[0]}×{window[1]}{step}"


def _full_text(box: Box) -> str:
    """What a pointer that rests on the box shows."""
    layers = [f"{node.name}: {_words(node)}" for node in box.nodes]
    note = ["only in training"] if box.auxiliary else []
    return "\n".join([*(layers or [box.name]), f"{_shape(box.output_shape)}, {box.parameters:,} parameters", *note])


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(f"{size:,}" for size in shape)


def _cut_text(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _n(value: float) -> str:
    """A coordinate without needless digits."""
    return f"{value:.1f}".removesuffix(".0")


_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    return escape(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text))
