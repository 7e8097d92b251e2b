"""The docs say what the code says."""

from docs.settings_table import PAGE, page_with_table


def test_the_table_of_settings_is_in_step_with_the_settings_class():
    page = PAGE.read_text()
    assert page == page_with_table(page), "run `python docs/settings_table.py`"
