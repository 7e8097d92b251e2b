"""What a run leaves for people: tables, pictures, records, TensorBoard events. Never TensorFlow, never Keras.

Importing this loads no matplotlib and no tensorboard: each is loaded when the first picture or event is written.
"""

from __future__ import annotations

from ml.reports.confusion import confusion_matrix, write_confusion_json, write_confusion_png
from ml.reports.curves import write_learning_curves
from ml.reports.heat import write_heat_maps_png
from ml.reports.history import write_history_csv
from ml.reports.interval import wilson_interval
from ml.reports.mistakes import write_mistakes_png
from ml.reports.predictions import PredictionsCsv
from ml.reports.record import write_run_json
from ml.reports.tensorboard import ScalarWriter

__all__ = [
    "PredictionsCsv",
    "ScalarWriter",
    "confusion_matrix",
    "wilson_interval",
    "write_confusion_json",
    "write_confusion_png",
    "write_heat_maps_png",
    "write_history_csv",
    "write_learning_curves",
    "write_mistakes_png",
    "write_run_json",
]
