"""The page on people's own images explains every code, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(
    r'(?:FileProblem|SetRefused|IntakeRefused|problems\.add|problems\.add_odd)\([^"()]*?(?:code=)?"([a-z_]+)"',
    re.DOTALL,
)
NAMED = re.compile(r"`([a-z]+(?:_[a-z]+)*)`")


def codes_of_the_code() -> set[str]:
    texts = [path.read_text() for path in (ROOT / "ml" / "intake").rglob("*.py")]
    constants = re.findall(r'^CRASHED = "([a-z_]+)"', "\n".join(texts), re.MULTILINE)
    return {code for text in texts for code in CODE.findall(text)} | set(constants)


def codes_of_the_page() -> set[str]:
    _, _, tables = (ROOT / "docs" / "datasets.md").read_text().partition("### Codes of files")
    tables, _, _ = tables.partition("## How it is guarded")
    cells = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| `")]
    return {code for cell in cells for code in NAMED.findall(cell)}


def test_every_code_is_explained_and_no_other():
    assert codes_of_the_code() == codes_of_the_page()
    assert {"bad_files", "decoder_crashed", "wrong_extension", "disk_full"} <= codes_of_the_code()
