"""Reading the manifest of the version before, and writing this one's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ml.intake.refusals import SetRefused
from records.intake import Manifest, Task


def read_parent(path: Path | None, task: Task) -> Manifest | None:
    """The version that this one adds to; None where there is none.

    Raises:
        SetRefused: it was made for another task.
        ValueError: it is no manifest.
    """
    if path is None:
        return None
    try:
        parent = Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"Expected a manifest in {path.name}: {error.errors()[0]['msg']}") from error
    if parent.task != task:
        raise SetRefused(
            "other_task",
            f"The version before is a set for {parent.task}, the upload is meant for {task}. Make a new set.",
        )
    return parent


def merge_classes(parent: Manifest | None, found: Sequence[str]) -> tuple[str, ...]:
    """The classes of the version before in their order, so that labels keep their meaning, then the new ones."""
    before = parent.classes if parent else ()
    return (*before, *(name for name in found if name not in before))


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest, an image a line. The same images give the same bytes."""
    head = manifest.model_dump(mode="json", exclude={"images"})
    lines = (_compact(image.model_dump(mode="json")) for image in manifest.images)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_compact(head)[:-1] + ',"images":[\n')
        for number, line in enumerate(lines):
            file.write((",\n" if number else "") + line)
        file.write("\n]}\n")


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
