"""`trainyard replay`."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from trainyard.cli import app

TRACE = """submit_s,user,memory_bytes,devices,seconds
0,ada,4000000000,1,100
0,ada,4000000000,1,100
10,bob,4000000000,1,50
"""


def run(*arguments):
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def test_policies_stand_side_by_side_and_each_person_has_a_line(tmp_path):
    (tmp_path / "trace.csv").write_text(TRACE)
    result = run(tmp_path / "trace.csv", "--devices", "1x10GB", "--exact")
    assert result.exit_code == 0, result.output
    assert "first-come" in result.output
    assert "SHARED : FIRST-COME" in result.output
    (bob,) = [line.split() for line in result.output.splitlines() if line.startswith("bob")]
    assert bob[1:3] == ["1", "3:10"]
    assert bob[-1] == "0.47"


def test_one_policy_as_json(tmp_path):
    (tmp_path / "trace.csv").write_text(TRACE)
    result = run(tmp_path / "trace.csv", "--devices", "1x10GB", "--exact", "--policy", "shared", "--json")
    found = json.loads(result.output)
    assert list(found["policies"]) == ["shared"]
    assert found["policies"]["shared"]["waits"] == {"jobs": 3, "mean_s": 30.0, "p95_s": 90.0}


def test_a_made_up_load_can_be_kept(tmp_path):
    result = run("--example", "class", "--seed", 5, "--save", tmp_path / "class.csv")
    assert "600 jobs written" in result.output
    assert (tmp_path / "class.csv").read_text().startswith("submit_s,user,memory_bytes,devices,seconds")


def test_what_makes_no_sense_is_told(tmp_path):
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    assert "Expected the columns" in run(tmp_path / "odd.csv").output
    assert "Expected devices like 4x24GB" in run("--example", "class", "--devices", "four").output
    assert "Expected a policy (first-come, whole-fair, shared)" in run("--example", "class", "--policy", "best").output
    assert run(tmp_path / "none.csv").exit_code == 2
