"""What this machine is. Versions are read from installed packages, nothing heavy is imported."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench.results import Machine
from tests.postgres_server import find_binaries

CHECKOUT = Path(__file__).resolve().parent.parent


def describe_machine() -> Machine:
    """The facts that a reader needs to compare figures."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        system=f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        python=platform.python_version(),
        tensorflow=_version("tensorflow-cpu", "tensorflow"),
        keras=_version("keras"),
        sqlite=sqlite3.sqlite_version,
        postgresql=_postgresql(),
        gunicorn=_version("gunicorn"),
    )


def describe_commit() -> str:
    """The checkout's commit, with `+` when tracked files differ from it; `unknown` outside a checkout."""
    commit = _output("git", "-C", str(CHECKOUT), "rev-parse", "--short=10", "HEAD")
    if not commit:
        return "unknown"
    changed = _output("git", "-C", str(CHECKOUT), "status", "--porcelain", "--untracked-files=no")
    return commit + ("+" if changed else "")


def _processor() -> str:
    """The model as the kernel names it, with family and model number where the name says little."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = facts.get("model name", platform.machine())
    return f"{name}, family {facts['cpu family']} model {facts['model']}" if "cpu family" in facts else name


def _version(*packages: str) -> str:
    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return "not installed"


def _postgresql() -> str:
    binaries = find_binaries()
    if binaries is None:
        return "not installed"
    return _output(str(binaries / "postgres"), "--version").removeprefix("postgres (PostgreSQL) ").split(" ")[0]


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
