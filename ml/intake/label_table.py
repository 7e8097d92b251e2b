"""Labels in a CSV: the columns `file` and `label`, and perhaps `split`."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from ml.intake.gathering import GatheredFile
from ml.intake.problems import Problems
from ml.intake.refusals import FileProblem, SetRefused
from ml.intake.samples import SPLIT_NAMES, Layout, Sample, class_name, split_path, without_tops
from ml.intake.sniffing import extension
from records.errors import shorten
from records.intake import Split

LARGEST_TABLE_BYTES = 50 * 10**6
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One line of the table, not checked yet."""

    file: str
    label: str
    split: str | None
    """None where there is no such column."""


def find_table(files: Sequence[GatheredFile], named: str | None, *, search: bool) -> GatheredFile | None:
    """The CSV that a person named, or the only one with the right columns.

    Args:
        files: all of the set.
        named: its path or its bare name; None looks for it.
        search: whether to look at all.

    Raises:
        SetRefused: the named one is not there, or several would do.
    """
    tables = [file for file in files if extension(file.name) == "csv" and not file.is_image]
    if named is not None:
        return _named(tables, unicodedata.normalize("NFC", named))
    fitting = [file for file in tables if search and _has_columns(file)]
    if len(fitting) > 1:
        raise SetRefused(
            "labels_ambiguous",
            f"Several CSV files have the columns file and label: {shorten(', '.join(f.name for f in fitting), 300)}. "
            "Name one as `labels`.",
        )
    return fitting[0] if fitting else None


def read_table(table: GatheredFile, images: Sequence[GatheredFile], problems: Problems) -> Layout:
    """The set as its table means it.

    Args:
        table: the CSV.
        images: all of the set.
        problems: takes rows without an image, and images without a row.

    Raises:
        SetRefused: the table cannot be read, or lacks a column.
    """
    tops = _tops_around(table, images)
    places = _Places(images, table.name.rpartition("/")[0])
    rows: dict[str, list[Row]] = {}
    for row in _rows(table):
        if (found := places.find(row.file)) is None:
            problems.add(row.file, "label_without_file", f"{table.name} names this file, but it is not in the set.")
        else:
            rows.setdefault(found.name, []).append(row)
    samples = []
    for image in images:
        name = without_tops(image.name, tops)
        try:
            split, label = _one_meaning(rows.get(image.name, []), table.name)
            samples.append(Sample(name, image, label, split))
        except FileProblem as problem:
            problems.add(name, problem.code, problem.text)
    return Layout(tuple(samples), any(sample.split for sample in samples), (table,))


def _tops_around(table: GatheredFile, images: Sequence[GatheredFile]) -> tuple[str, ...]:
    """The folders around the table and all images; they are left out of the samples' names."""
    folders = [split_path(file.name)[:-1] for file in (table, *images)]
    shared = zip(*folders, strict=False)
    return tuple(parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, shared))


class _Places:
    """Which image a row means: by its path from the top, from the table's folder, or by a bare name that is unique."""

    def __init__(self, images: Sequence[GatheredFile], folder: str) -> None:
        self._by_path = {image.name: image for image in images}
        self._prefix = f"{folder}/" if folder else ""
        self._by_base: dict[str, list[GatheredFile]] = {}
        for image in images:
            self._by_base.setdefault(image.name.rpartition("/")[2], []).append(image)

    def find(self, file: str) -> GatheredFile | None:
        path = unicodedata.normalize("NFC", file.replace("\\", "/")).removeprefix("./")
        if found := self._by_path.get(self._prefix + path) or self._by_path.get(path):
            return found
        same = self._by_base.get(path, [])
        return same[0] if len(same) == 1 else None


def _named(tables: Sequence[GatheredFile], named: str) -> GatheredFile:
    exact = [file for file in tables if file.name == named]
    ending = [file for file in tables if file.name.endswith(f"/{named}")]
    found = exact or ending
    if len(found) != 1:
        have = shorten(", ".join(file.name for file in tables) or "none", 300)
        raise SetRefused(
            "labels_missing",
            f"Expected one CSV called {shorten(named)} in the archive, found {len(found)}. CSV files there: {have}.",
        )
    return found[0]


def _has_columns(file: GatheredFile) -> bool:
    try:
        next(iter(_rows(file)), None)
    except SetRefused:
        return False
    return True


def _rows(table: GatheredFile) -> Iterator[Row]:
    text = _text(table)
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        file, label = _column(table, columns, "file"), _column(table, columns, "label")
        split = columns.index("split") if "split" in columns else None
        for number, cells in enumerate(reader, 2):
            if not any(cells):
                continue
            if len(cells) != len(columns):
                raise _unreadable(table, f"line {number} has {len(cells)} cells, the first line {len(columns)}")
            yield Row(cells[file].strip(), cells[label].strip(), None if split is None else cells[split].strip())
    except csv.Error as error:
        raise _unreadable(table, str(error)[:100]) from error


def _text(table: GatheredFile) -> str:
    if table.content.size > LARGEST_TABLE_BYTES:
        raise _unreadable(
            table, f"it has {table.content.size / 1e6:,.0f} MB, at most {LARGEST_TABLE_BYTES / 1e6:,.0f} are read"
        )
    try:
        return table.content.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(table, "it is not in UTF-8") from error


def _column(table: GatheredFile, columns: list[str], name: str) -> int:
    if name not in columns:
        raise SetRefused(
            "labels_unreadable",
            f"Expected the columns file and label (and perhaps split) in the first line of {table.name}, got "
            f"{shorten(', '.join(columns) or 'an empty line', 200)}.",
        )
    return columns.index(name)


def _one_meaning(rows: Sequence[Row], table: str) -> tuple[Split | None, str]:
    """Split and class that all rows of one image agree on."""
    if not rows:
        raise FileProblem("file_without_label", f"{table} has no row for this image. Add one or leave the image out.")
    if len({(row.label, row.split) for row in rows}) > 1:
        raise FileProblem("two_labels", f"{table} has rows for this image that contradict each other. Keep one.")
    row = rows[0]
    split = None if row.split is None else SPLIT_NAMES.get(row.split.lower())
    if row.split is not None and split is None:
        raise FileProblem(
            "split_unknown", f"Expected train, val or test in the column split of {table}, got {shorten(row.split)!r}."
        )
    return split, class_name(row.label)


def _unreadable(table: GatheredFile, why: str) -> SetRefused:
    return SetRefused("labels_unreadable", f"{table.name} cannot be read as a CSV: {why}. Save it as CSV in UTF-8.")
