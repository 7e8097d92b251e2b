"""The page on networks of one's own says what the code says."""

import json
import re

from docs.own_layers_table import PAGE, page_with_table
from ml.networks import draw_network
from ml.networks.own import MOST_ACTIVATIONS, MOST_PARAMETERS
from ml.networks.own_wiring import MOST_WIRES
from records.specs import NetworkSpec, parse_as
from records.specs.network import MOST_LAYERS


def test_the_table_of_layers_is_in_step_with_the_classes():
    page = PAGE.read_text()
    assert page == page_with_table(page), "run `python -m docs.own_layers_table`"


def test_the_limits_in_the_text_are_those_in_force():
    page = PAGE.read_text()
    for limit in (MOST_LAYERS, MOST_WIRES, MOST_PARAMETERS, MOST_ACTIVATIONS):
        assert f"{limit:,}" in page


def test_the_network_in_the_text_is_one():
    example = re.search(r"```json\n\"network\": (.*?)```", PAGE.read_text(), re.DOTALL)[1]
    assert draw_network(parse_as(NetworkSpec, json.loads(example)), (28, 28, 1), 10).classes == 10
