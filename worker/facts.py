"""What every run's record names of this worker's code: its version, and the commit of its checkout if it is one."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parent.parent


def trainyard_version() -> str:
    """The version of the installed package."""
    try:
        return metadata.version("trainyard")
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def code_facts() -> dict[str, str]:
    """`trainyard_version`, and `git_commit` where this code lies in a git checkout and git is at hand."""
    facts = {"trainyard_version": trainyard_version()}
    if (_CHECKOUT / ".git").exists():
        commit = _git("rev-parse", "HEAD")
        if commit:
            dirty = _git("status", "--porcelain", "--untracked-files=no")
            facts["git_commit"] = f"{commit}-dirty" if dirty else commit
    return facts


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(_CHECKOUT), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
