"""The worker's parent process stays free of TensorFlow."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import worker


def test_importing_the_whole_worker_leaves_tensorflow_and_keras_out():
    names = [f"worker.{module.name}" for module in pkgutil.iter_modules(worker.__path__)]
    assert "worker.supervisor" in names
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "from ml.kinds import inspect\nfrom records.specs import parse_spec\n"
        "inspect(parse_spec({'kind': 'train', 'dataset': 'mnist', 'network': {'name': 'lenet5'}}))\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'flask'} & set(sys.modules)\nassert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
