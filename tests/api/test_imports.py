"""The door never loads TensorFlow."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path
from api.app import create_app
from api.bodies import decode_json
from ml.kinds import inspect
from records.settings import Settings
from records.specs import parse_spec
app = create_app(Settings(home=Path(sys.argv[1])))
inspect(parse_spec({"kind": "train", "dataset": "mnist", "network": {"name": "lenet5"}}))
app.spec
loaded = {"tensorflow", "keras", "worker", "matplotlib"} & set(sys.modules)
sys.exit(f"loaded: {loaded}" if loaded else 0)
"""


def test_making_the_application_and_checking_a_spec_loads_no_tensorflow(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "yard.sqlite").exists(), "making the application touches no database"
