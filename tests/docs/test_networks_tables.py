"""The tables of networks say what the networks are."""

from docs.networks_tables import PAGE, page_with_tables


def test_the_tables_of_networks_are_in_step_with_the_networks():
    page = PAGE.read_text()
    assert page == page_with_tables(page), "run `python -m docs.networks_tables`"
