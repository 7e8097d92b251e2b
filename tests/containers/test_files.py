"""What the files of the containers promise, read from the files themselves: no engine is needed."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from records.settings import Settings
from trainyard.cli import app
from trainyard.init_files import make_secrets

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = {name: body for name, body in re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S)}
OWN = [name for name, service in SERVICES.items() if "build" in service]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name):
    service = SERVICES[name]
    assert service["init"] is True
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(mount.startswith("/tmp") for mount in service["tmpfs"])


def test_the_images_run_as_somebody_who_is_not_root():
    final = {name for name in STAGES if not name.startswith(("base", "build"))}
    assert final == {"api", "migrate", "worker-cpu", "worker-gpu"}
    for name in final - {"migrate"}:
        assert re.findall(r"^USER (.+)$", STAGES[name], re.M) == ["10001:10001"], name
    assert re.search(r"^FROM api AS migrate$", DOCKERFILE, re.M)


def test_only_the_api_and_grafana_are_published_and_on_loopback():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "api": ["${TRAINYARD_BIND:-127.0.0.1}:${TRAINYARD_PORT:-8080}:8080"],
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],
    }
    assert SERVICES["grafana"]["profiles"] == ["watch"]


def test_workers_database_and_broker_have_no_way_out():
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis", "migrate", "worker-cpu", "worker-gpu", "prometheus"):
        assert SERVICES[name]["networks"] == ["inside"], name


def test_no_secret_stands_in_the_file_or_in_an_environment():
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            assert not re.search(r"PASSWORD|SECRET|TOKEN|_URL", variable) or str(value).startswith("/run/secrets"), name
    assert "PASSWORD:-" not in (ROOT / "docker-compose.yml").read_text()


def test_each_service_gets_only_the_secrets_that_it_needs():
    assert {name: sorted(service["secrets"]) for name, service in SERVICES.items()} == {
        "postgres": ["postgres_password"],
        "redis": ["redis.conf", "redis_password"],
        "migrate": ["database_url", "redis_url"],
        "api": ["database_url", "redis_url", "trainyard_metrics_token"],
        "worker-cpu": ["database_url", "redis_url"],
        "worker-gpu": ["database_url", "redis_url"],
        "prometheus": ["trainyard_metrics_token"],
        "grafana": ["grafana_password"],
    }


def test_init_makes_every_secret_that_the_file_names(tmp_path):
    names = make_secrets(tmp_path / "secrets")
    wanted = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert set(names) == wanted == set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", OWN)
def test_every_image_has_its_target_and_every_base_can_be_another(name):
    target = SERVICES[name]["build"]["target"]
    assert target in STAGES
    assert SERVICES[name]["image"] == f"trainyard-{target}"
    bases = {base for base, stage in re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.M)}
    assert bases <= {"${PYTHON_IMAGE}", *STAGES}
    for other in set(SERVICES) - set(OWN):
        assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[^:}]+:[^:}]+\}", SERVICES[other]["image"]), other


def test_everything_that_is_copied_is_there_and_let_in():
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
    for path in " ".join(copied).split():
        assert (ROOT / path).exists(), path
        assert path.split("/")[0] in let_in, path


def test_only_what_is_locked_by_its_hash_is_installed():
    installs = re.findall(r"pip install[^&\n\\]*", DOCKERFILE)
    assert len(installs) == 7
    assert all("--require-hashes" in line or "--no-deps /src" in line for line in installs), installs
    for name in ("api", "worker-cpu", "worker-gpu"):
        lock = (ROOT / "docker" / f"requirements-{name}.lock").read_text()
        pinned = re.findall(r"^[a-z0-9._-]+(?:\[[a-z0-9,-]+\])?==.*$", lock, re.M)
        assert pinned
        assert all(line.endswith("\\") for line in pinned), name


def test_the_image_of_the_api_holds_no_tensorflow():
    lock = (ROOT / "docker" / "requirements-api.lock").read_text()
    assert not re.search(r"^(tensorflow|keras|nvidia-cu)", lock, re.M)


def test_a_worker_has_longer_to_stop_than_its_children():
    grace = Settings.model_fields["stop_grace_s"].default
    for name in ("worker-cpu", "worker-gpu"):
        assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= grace + 10


def test_a_worker_shares_files_but_no_home():
    for name in ("worker-cpu", "worker-gpu"):
        assert SERVICES[name]["volumes"][:2] == ["/var/lib/trainyard", "blobs:/var/lib/trainyard/blobs"]
        assert "container_name" not in SERVICES[name]
        assert "TRAINYARD_WORKER_NAME" not in SERVICES[name]["environment"]


def test_what_lasts_lies_in_volumes_and_redis_loses_nothing():
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql/data"]
    command = SERVICES["redis"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_nothing_starts_before_what_it_needs():
    for name in ("api", "worker-cpu", "worker-gpu"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert all("healthcheck" in SERVICES[name] for name in ("postgres", "redis"))
    assert all("HEALTHCHECK" in STAGES[name] for name in ("api", "worker-cpu", "worker-gpu"))


# ── the dashboard ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_panel_asks_for_numbers_that_the_yard_tells():
    dashboard = json.loads((ROOT / "docker" / "grafana" / "dashboards" / "trainyard.json").read_text())
    told = set(re.findall(r'"(trainyard_[a-z_]+)"', (ROOT / "api" / "gauges.py").read_text()))
    asked = {
        name.removesuffix("_bucket").removesuffix("_count")
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"trainyard_[a-z_]+", target["expr"])
    }
    assert asked
    assert asked <= told


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_settings_are_read_from_the_files_of_init(tmp_path, monkeypatch):
    make_secrets(tmp_path / "secrets")
    monkeypatch.setenv("TRAINYARD_SECRETS", str(tmp_path / "secrets"))
    settings = Settings.from_environment()
    for name, field in (("database_url", settings.database_url), ("redis_url", settings.redis_url)):
        assert field.get_secret_value() == (tmp_path / "secrets" / name).read_text()
    assert len(settings.metrics_token.get_secret_value()) > 40
    password = (tmp_path / "secrets" / "redis_password").read_text()
    assert (tmp_path / "secrets" / "redis.conf").read_text() == f"requirepass {password}\n"
    assert f":{password}@redis" in settings.redis_address
    monkeypatch.setenv("DATABASE_URL", "sqlite:///wins")
    assert Settings.from_environment().database_address == "sqlite:///wins"


def test_init_makes_other_secrets_each_time_and_overwrites_none(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    read = {path.name: path.read_text() for path in first.iterdir()}
    assert all(read[name] != (second / name).read_text() for name in read)
    again = CliRunner().invoke(app, ["init", str(first)])
    assert again.exit_code == 1
    assert "is not empty" in again.stderr
    assert {path.name: path.read_text() for path in first.iterdir()} == read
    assert not any(value.strip() in again.output for value in read.values())
