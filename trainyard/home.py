"""The yard's home folder as `trainyard up` uses it: who runs here, where it can be reached, and the parts' logs."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from trainyard.errors import YardError

_LOG_BYTES = 5_000_000
_OLD_LOGS = 3


class Home:
    """The files of one home folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def state_file(self) -> Path:
        """Where a running yard says how it can be reached."""
        return self.folder / "state.json"

    @property
    def token_file(self) -> Path:
        """The administrator's token, mode 0600."""
        return self.folder / "admin.token"

    @property
    def broker_folder(self) -> Path:
        """What the embedded broker keeps."""
        return self.folder / "broker"

    def log_file(self, part: str) -> Path:
        """The output of a part of the yard."""
        return self.folder / "logs" / f"{part}.log"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the only yard in this home. The kernel gives it back when the process ends, however it ends.

        Raises:
            YardError: another yard runs here; the text says which.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "up.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise YardError(self._who_runs()) from None
            yield

    def write_state(self, state: dict[str, Any]) -> None:
        """Say how the yard can be reached, in one step: a reader sees the old file or the new one."""
        new = self.state_file.with_suffix(".new")
        new.write_text(json.dumps(state, indent=2) + "\n")
        os.replace(new, self.state_file)

    def read_state(self) -> dict[str, Any]:
        """What the running yard wrote; empty when none runs here."""
        try:
            state = json.loads(self.state_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def forget_state(self) -> None:
        """Nothing can be reached here any more."""
        self.state_file.unlink(missing_ok=True)

    def open_log(self, part: str) -> IO[bytes]:
        """A part's log, to be written at its end. One that has grown large is put aside first; three old ones stay."""
        path = self.log_file(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LOG_BYTES:
            for number in range(_OLD_LOGS, 0, -1):
                older = path.with_suffix(f".log.{number}")
                newer = path.with_suffix(f".log.{number - 1}") if number > 1 else path
                if newer.exists():
                    os.replace(newer, older)
        return path.open("ab", buffering=0)

    def last_lines(self, part: str, count: int = 15) -> list[str]:
        """The end of a part's log."""
        try:
            text = self.log_file(part).read_bytes()[-20_000:].decode(errors="replace")
        except FileNotFoundError:
            return []
        return text.splitlines()[-count:]

    def _who_runs(self) -> str:
        state = self.read_state()
        if not state:
            return f"Another yard is just starting or stopping in {self.folder}. Wait for it, or name another --home."
        return (
            f"A yard runs in {self.folder} already: process {state.get('pid')}, {state.get('url')}. "
            "Use that one, stop it with Ctrl-C or `kill`, or name another --home."
        )
