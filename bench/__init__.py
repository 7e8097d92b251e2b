"""Measurements of the yard. `python -m bench` runs them, `bench/results.json` keeps them, `docs/figures.md` shows them.

No test asserts a time: what a machine can do is measured here, and nowhere else.
"""
