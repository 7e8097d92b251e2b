"""The page of weights says what the catalogue says."""

from docs.pretrained_table import PAGE, page_with_table


def test_the_table_of_weights_is_in_step_with_the_catalogue():
    page = PAGE.read_text()
    assert page == page_with_table(page), "run `python -m docs.pretrained_table`"
