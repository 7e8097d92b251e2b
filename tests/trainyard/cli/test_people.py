"""People, tokens, teams and sharing from the command line, against a real yard."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.trainyard.yard_process import YardProcess
from trainyard.cli import app

Trainyard = Callable[..., Result]


@pytest.fixture
def trainyard(yard: YardProcess, monkeypatch: pytest.MonkeyPatch) -> Trainyard:
    """Call the command line with these words, for the shared yard; as somebody else with `token`."""
    monkeypatch.setenv("TRAINYARD_HOME", str(yard.home))

    def call(*words: Any, token: str | None = None, typed: str = "") -> Result:
        env = {"TRAINYARD_TOKEN": token} if token else None
        return CliRunner().invoke(app, [str(word) for word in words], env=env, input=typed)

    return call


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def ann(trainyard: Trainyard) -> str:
    """The invitation of somebody who was just added, or is invited again."""
    known = [user["name"] for user in _json(trainyard("users", "list", "--json"))]
    words = ("reset", "ann") if "ann" in known else ("add", "ann")
    return str(trainyard("users", *words).stdout.strip())


def test_who_is_added_gets_in_chooses_a_password_and_makes_tokens(trainyard: Trainyard, ann: str) -> None:
    assert "member" in trainyard("whoami", token=ann).stdout
    words = "some words in a row"
    assert "Changed" in trainyard("password", token=ann, typed=f"{words}\n{words}\n").stdout
    assert _json(trainyard("whoami", "--json", token=ann))["has_password"] is True
    refused = trainyard("password", token=ann, typed=f"wrong words\n{words}\n{words}\n")
    assert refused.exit_code == 1
    made = trainyard("tokens", "make", "cluster", "--scope", "read", "--days", 1, token=ann)
    secret = made.stdout.strip()
    assert secret.startswith("ty_")
    assert _json(trainyard("whoami", "--json", token=secret))["scope"] == "read"
    refused = trainyard("submit", "--kind", "noop", token=secret)
    assert (refused.exit_code, "scope `write`" in refused.output) == (1, True)
    listed = {token["name"]: token for token in _json(trainyard("tokens", "list", "--json", token=ann))}
    number = listed["cluster"]["id"]
    assert "is revoked" in trainyard("tokens", "revoke", number, token=ann).stdout
    assert trainyard("whoami", token=secret).exit_code == 1
    assert "revoked" in trainyard("tokens", "list", "--user", "ann").stdout


def test_who_is_deactivated_is_out_until_activated_again(trainyard: Trainyard, ann: str) -> None:
    assert "is deactivated" in trainyard("users", "deactivate", "ann").stdout
    assert trainyard("whoami", token=ann).exit_code == 1
    assert "deactivated" in trainyard("users", "list").stdout
    assert "is active" in trainyard("users", "activate", "ann").stdout
    assert trainyard("whoami", token=ann).exit_code == 0
    assert "is admin" in trainyard("users", "role", "ann", "admin").stdout
    assert "is member" in trainyard("users", "role", "ann", "member").stdout
    assert trainyard("users", "role", "ann", "king").exit_code == 2
    assert trainyard("users", "list", token=ann).exit_code == 1


def test_a_job_is_shown_to_a_team_to_all_and_to_nobody(trainyard: Trainyard, ann: str) -> None:
    job_id = _json(trainyard("submit", "--kind", "noop", "--json"))["id"]
    assert trainyard("show", job_id, token=ann).exit_code == 1
    assert "is made" in trainyard("teams", "make", "vision").stdout
    for name in ("ann", "admin"):
        assert f"{name} is in vision" in trainyard("teams", "add", "vision", name).stdout
    assert _json(trainyard("teams", "list", "--json", token=ann))[0]["members"] == ["admin", "ann"]
    assert "shown to the team vision" in trainyard("share", job_id, "--team", "vision").stdout
    assert _json(trainyard("show", job_id, "--json", token=ann))["team"] == "vision"
    assert trainyard("cancel", job_id, token=ann).exit_code == 1
    assert "is no longer in vision" in trainyard("teams", "remove", "vision", "ann").stdout
    assert trainyard("show", job_id, token=ann).exit_code == 1
    assert "is public" in trainyard("share", job_id, "--public").stdout
    assert trainyard("show", job_id, token=ann).exit_code == 0
    assert "is private" in trainyard("share", job_id, "--private").stdout
    assert trainyard("show", job_id, token=ann).exit_code == 1
    assert "is deleted" in trainyard("teams", "delete", "vision").stdout
    for words in ((job_id,), (job_id, "--public", "--private"), ("datasets/x", "--public")):
        assert trainyard("share", *words).exit_code == 2
    lines = _json(trainyard("audit", "--act", "job.shown", "--json"))
    assert [line["text"] for line in lines][:3] == ["private", "public", "team vision"]
    assert "job.shown" in trainyard("audit").stdout
