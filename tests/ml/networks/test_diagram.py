"""The drawing: every layer is in it, boxes do not cover each other, and nothing in it can run."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from ml.networks import NETWORKS, Draft, Network, draw_svg, make_network
from ml.networks.diagram_boxes import make_boxes, make_sections
from ml.networks.diagram_layout import SOURCE, lay_out
from ml.networks.layers import Add, Conv2D

SVG = "{http://www.w3.org/2000/svg}"


def paper_network(name: str) -> Network:
    named = NETWORKS[name]
    return make_network(name, named.input_shape, named.classes, {})


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_is_in_one_box_and_all_repeats_together_are_all_boxes(name):
    network = paper_network(name)
    boxes = make_boxes(network)
    drawn = [node.name for box in boxes for node in box.nodes]
    assert sorted(drawn) == sorted(node.name for node in network.layers)
    sections = make_sections(boxes)
    assert 1 + sum(len(section.boxes) * section.repeats for section in sections) == len(boxes)
    parameters = sum(box.parameters * section.repeats for section in sections for box in section.boxes)
    assert parameters == network.parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_no_box_covers_another_and_no_wire_crosses_a_box(name):
    for section in make_sections(make_boxes(paper_network(name))):
        layout = lay_out(section)
        places = [(layout.lanes[index], layout.ranks[index]) for index in range(len(section.boxes))]
        for start, lane in layout.passing.items():
            lowest = max(layout.ranks[end] for begin, end in layout.wires if begin == start)
            places += [(lane, rank) for rank in range(layout.ranks[start] + 1, lowest)]
        assert len(set(places)) == len(places)
        assert all(layout.ranks[start] < layout.ranks[end] for start, end in layout.wires)
        assert layout.ranks[SOURCE] == 0


def test_blocks_that_repeat_are_drawn_once_in_a_large_network():
    svg = draw_svg(paper_network("resnet152"))
    assert "× 35" in texts(svg)
    assert svg.count('class="box') < 50
    assert "× 2" not in texts(draw_svg(make_network("lenet5", (28, 28, 1), 10, {})))


def test_a_drawing_is_xml_that_loads_and_runs_nothing_whatever_the_names():
    evil = '"><script>alert(1)</script>&\x00\x0b'
    draft = Draft(evil, (8, 8, 1))
    draft.add(evil, Conv2D(2, (3, 3), padding="same"))
    draft.add("b", Conv2D(2, (3, 3), padding="same"))
    draft.add("c", Add(), after=(evil, "b"))
    svg = draw_svg(draft.finish())
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "style", "g", "rect", "text", "path",
    }  # fmt: skip
    assert not re.search(r"(href|url\(|\son\w+=|@import)", svg)
    assert any(text.startswith('"><script>alert(1)') for text in texts(svg))


def test_a_drawing_says_name_type_shape_and_parameters_of_a_layer():
    lines = texts(draw_svg(make_network("lenet5", (28, 28, 1), 10, {})))
    at = lines.index("c3")
    assert lines[at : at + 4] == ["c3", "Conv2D 5×5", "+ relu", "10 × 10 × 16 · 2,416 parameters"]


def test_layers_fed_by_all_before_are_drawn_too():
    draft = Draft("tangle", (4, 4, 1))
    names = [draft.add("l0", Conv2D(1, (1, 1)))]
    for index in range(1, 60):
        names.append(draft.add(f"l{index}", Add(), after=(*names, "l0") if index == 1 else tuple(names)))
    svg = draw_svg(draft.finish())
    tops = [
        float(top) for top in re.findall(r'<g class="box[^>]*><title>[^<]*</title><rect x="[^"]*" y="([^"]+)"', svg)
    ]
    assert all(above < below for above, below in pairwise(tops))
