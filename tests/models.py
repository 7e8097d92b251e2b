"""A model as a training would keep it, made without training; and a job that has it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from records.artifacts import add_artifact
from records.blobs import FolderBlobs
from records.database import Database
from records.jobs import submit
from records.settings import child_environment
from records.specs import parse_spec
from records.specs.earlier import RECORD

ROOT = Path(__file__).resolve().parents[1]
SPEC = {"kind": "train", "dataset": "mnist", "network": {"name": "dense", "options": {"hidden": [8]}}}
_MAKE = """
import sys
from pathlib import Path
from ml.engine.build import build_model
from ml.run_record import read_record
folder = Path(sys.argv[1])
record = read_record(folder / "run.json")
build_model(record.draw(), seed=0).save_weights(folder / "best.weights.h5")
"""


def make_model(folder: Path) -> None:
    """Write what a small model of ten classes is built from; its weights are first ones. Loads TensorFlow elsewhere."""
    record = {"spec": SPEC, "classes": list("0123456789"), "image_shape": [28, 28, 1]}
    (folder / RECORD).write_text(json.dumps(record))
    subprocess.run([sys.executable, "-c", _MAKE, folder], env=child_environment(), cwd=ROOT, check=True)


def add_trained_job(database: Database, blobs: FolderBlobs, model: Path, *, owner_id: int, at: datetime) -> int:
    """A job that has succeeded and kept this model; its id."""
    with database.write() as session:
        job = submit(session, parse_spec(SPEC), owner_id=owner_id, actor="user:ada", parameters=1, at=at)
        job.status, job.finished_at = "succeeded", at
        for file in model.iterdir():
            how = {"name": file.name, "kind": "weights", "media_type": "application/octet-stream", "at": at}
            add_artifact(session, job.id, blobs.put_file(file), **how)
        return job.id
