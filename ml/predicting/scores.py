"""How often a model was right, and how sure that is. Never imports Keras."""

from __future__ import annotations

from ml.reports import wilson_interval


def accuracy_of(right: int, total: int, prefix: str = "") -> dict[str, float]:
    """`accuracy` with Wilson's interval at 95 %, `accuracy_low` and `accuracy_high`, each behind the prefix."""
    low, high = wilson_interval(right, total)
    scores = {"accuracy": right / total, "accuracy_low": low, "accuracy_high": high}
    return {f"{prefix}{name}": value for name, value in scores.items()}
