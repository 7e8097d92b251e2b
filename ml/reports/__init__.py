"""What a run leaves for people: tables, pictures, records, TensorBoard events. Never TensorFlow, never Keras.

Importing this loads no matplotlib and no tensorboard: each is loaded when the first picture or event is written.
"""

from __future__ import annotations

from ml.reports.accuracies import write_accuracies_csv
from ml.reports.calibration import Calibration, calibration, write_calibration_json, write_calibration_png
from ml.reports.confusion import confusion_matrix, write_confusion_json, write_confusion_png
from ml.reports.curves import write_learning_curves
from ml.reports.gradcam import caption, choose_examples, write_gradcam_png
from ml.reports.heat import write_heat_maps_png
from ml.reports.history import write_history_csv
from ml.reports.interval import wilson_interval
from ml.reports.mistakes import write_mistakes_png
from ml.reports.per_class import class_scores, write_per_class_csv, write_per_class_json
from ml.reports.predictions import PredictionsCsv
from ml.reports.record import write_run_json
from ml.reports.tensorboard import ScalarWriter

__all__ = [
    "Calibration",
    "PredictionsCsv",
    "ScalarWriter",
    "calibration",
    "caption",
    "choose_examples",
    "class_scores",
    "confusion_matrix",
    "wilson_interval",
    "write_accuracies_csv",
    "write_calibration_json",
    "write_calibration_png",
    "write_confusion_json",
    "write_confusion_png",
    "write_gradcam_png",
    "write_heat_maps_png",
    "write_history_csv",
    "write_learning_curves",
    "write_mistakes_png",
    "write_per_class_csv",
    "write_per_class_json",
    "write_run_json",
]
