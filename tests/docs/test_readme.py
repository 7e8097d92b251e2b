"""The README's examples, run as they stand against a real yard."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pictures import folder_a_class, pack
from tests.trainyard.yard_process import YardProcess, clean_environment, run_yard

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YardProcess]:
    """A yard as the README starts one: nothing set but its home."""
    with run_yard(tmp_path_factory.mktemp("readme") / "yard", environment={}) as running:
        yield running


def examples(language: str) -> list[str]:
    """The README's blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run(argv: list[str], yard: YardProcess, folder: Path, **variables: str) -> str:
    """What a program prints; it must succeed. Skips where no source of MNIST answers."""
    environment = clean_environment({"TRAINYARD_HOME": str(yard.home), **variables})
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if "dataset_missing" in done.stdout:
        pytest.skip("no source of MNIST answers here")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_curl_lines_work_as_they_stand(yard, tmp_path):
    (lines,) = (block for block in examples("sh") if '"$URL/api/v1/jobs"' in block)
    token = (yard.home / "admin.token").read_text().strip()
    printed = run(["bash", "-eu", "-c", lines], yard, tmp_path, URL=yard.state["url"], TOKEN=token)
    assert '"status": "succeeded"' in printed or '"status":"succeeded"' in printed
    assert "event: end" in printed
    assert "Did you mean mnist?" in printed
    assert '"images":[{"name":"image","classes":[{"name":' in printed
    assert (tmp_path / "model.keras").read_bytes()[:2] == b"PK"


def test_the_curl_lines_for_images_of_ones_own_work_as_they_stand(yard, tmp_path):
    (lines,) = (block for block in examples("sh") if "/api/v1/datasets?name=" in block)
    (tmp_path / "photos.zip").write_bytes(pack(folder_a_class()))
    token = (yard.home / "admin.token").read_text().strip()
    printed = run(["bash", "-eu", "-c", lines], yard, tmp_path, URL=yard.state["url"], TOKEN=token)
    assert '"status":"checking"' in printed
    assert '"new_images": 12' in printed
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_the_python_example_works_as_it_stands(yard, tmp_path):
    (program,) = examples("python")
    printed = run([sys.executable, "-c", program], yard, tmp_path)
    assert printed.startswith("succeeded {")


def test_the_commands_of_the_readme_exist(yard, tmp_path):
    commands = re.findall(r"\.venv/bin/trainyard (\w+)", README)
    assert {"up", "submit", "watch", "list", "download"} <= set(commands)
    for command in sorted(set(commands)):
        assert "Usage" in run([sys.executable, "-m", "trainyard", command, "--help"], yard, tmp_path)
    json.loads(run([sys.executable, "-m", "trainyard", "list", "--json"], yard, tmp_path))
