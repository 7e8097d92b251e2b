"""The demo, with jobs that take no time: it starts a yard, sends one job, tells how it went, and leaves nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.trainyard.yard_process import QUICK, clean_environment


def _demo(folder: Path, spec: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (folder / "spec.json").write_text(json.dumps(spec))
    words = ["demo", "--spec", str(folder / "spec.json"), "--home", str(folder / "home")]
    argv = [sys.executable, "-m", "trainyard", *words]
    return subprocess.run(argv, capture_output=True, text=True, env=clean_environment(QUICK), check=False, timeout=300)


def test_a_job_that_succeeds_ends_the_demo_well(tmp_path: Path) -> None:
    ended = _demo(tmp_path, {"kind": "noop", "steps": 2})
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.splitlines()[-1] == "demo: ok job=1"
    assert "/jobs/1" in ended.stdout
    assert "noop.json" in ended.stdout
    assert not (tmp_path / "home" / "state.json").exists()


def test_a_job_that_fails_ends_the_demo_with_its_reason_and_status_1(tmp_path: Path) -> None:
    ended = _demo(tmp_path, {"kind": "noop", "steps": 2, "fail_at": 1, "fail_code": "diverged"})
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == "demo: failed job=1 failed diverged"
    assert not (tmp_path / "home" / "state.json").exists()
