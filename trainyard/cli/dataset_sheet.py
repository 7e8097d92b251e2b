"""Datasets, versions and reports as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from trainyard.cli import words
from trainyard.cli.output import console, print_pairs, print_table, status_text
from trainyard.dataset_results import DatasetReport, DatasetVersion, Groups, Place, Problem
from trainyard.results import Dataset

_MOST_PROBLEMS = 20
_MOST_GROUPS = 5
_MOST_IN_GROUP = 4
_MOST_CLASSES = 40
_BAR = 24
_CONVERSIONS = {
    "turned": "turned upright",
    "flattened": "put on white instead of transparency",
    "from_cmyk": "brought from CMYK to RGB",
    "from_16_bit": "brought from 16 bits to 8",
    "from_palette": "brought from a palette to RGB",
    "first_frame": "cut to their first frame or page",
    "to_srgb": "brought to sRGB",
    "shrunk": "shrunk",
    "grey_to_rgb": "brought from grey to RGB",
}


def print_datasets(found: Sequence[Dataset]) -> None:
    """The catalogue and one's own in one table."""
    rows = (
        (
            d.ref if d.owner else d.name,
            status_text(d.status) if d.owner else Text(""),
            f"@{d.version}" if d.version else "",
            len(d.classes) or "",
            _counts(d.counts),
            d.title if d.owner is None else d.source,
        )
        for d in found
    )
    columns = ("NAME", "STATUS", "VERSION", ">CLASSES", "IMAGES", "ABOUT")
    print_table(columns, rows, empty="None yet. `trainyard datasets upload FOLDER` sends one.", stretch="ABOUT")


def print_dataset(found: Dataset) -> None:
    """A dataset of the catalogue, or one that has no version."""
    shape = "×".join(map(str, found.image_shape)) if found.image_shape else ""
    console().print(f"{found.name}  {found.title}", style="bold")
    print_pairs(
        [
            ("status", status_text(found.status) if found.owner else ""),
            ("classes", ", ".join(found.classes)),
            ("images", _counts(found.counts)),
            ("size", shape),
            ("licence", found.licence),
            ("source", found.source),
            ("fetched", found.fetched.source if found.fetched else ""),
            ("sha256", found.sha256),
        ]
    )


def print_version(version: DatasetVersion) -> None:
    """One version."""
    console().print(Text.assemble((version.ref, "bold"), "  ", status_text(version.status)))
    stand = version.progress
    print_pairs(
        [
            ("why", version.reason.text if version.reason else ""),
            ("stage", f"{stand.stage}, {stand.done:,} of {stand.of:,}" if stand else ""),
            ("task", version.task),
            ("classes", ", ".join(version.classes[:_MOST_CLASSES])),
            ("images", _counts(version.counts)),
            ("channels", version.channels or ""),
            ("adds to", f"version {version.parent}" if version.parent else ""),
            ("size", words.bytes_(version.size_bytes) if version.size_bytes else ""),
            ("sha256", version.sha256 or ""),
            ("folder", version.folder or ""),
            ("created", f"{version.created_at:%Y-%m-%d %H:%M} UTC by {version.created_by}"),
        ]
    )


def print_verdict(version: DatasetVersion) -> None:
    """Whether it is ready, and what to do next."""
    console().print(Text.assemble(version.ref, " is ", status_text(version.status), "."))
    if version.status == "ready":
        console().print(f"{_counts(version.counts)} images. Train on it with `dataset={version.dataset}` in a spec.")
        return
    if version.reason:
        console().print(version.reason.text or version.reason.code)
    if version.upload and version.reason and version.reason.code == "bad_files":
        console().print(
            f"To take the rest, without sending it again: `trainyard datasets retry {version.dataset} --skip-bad`"
        )


def print_report(report: DatasetReport) -> None:
    """What was found, what was done, and what to look at."""
    _print_found(report)
    _print_classes(report)
    _print_problems(report)
    for title, groups in (
        ("Exact duplicates", report.exact_duplicates),
        ("Near duplicates", report.near_duplicates),
        ("Leakage: the same or nearly the same image in several splits", report.leakage),
    ):
        _print_groups(title, groups)
    if report.warnings:
        console().print("\nLook at this", style="bold")
        for warning in report.warnings:
            console().print(Text.assemble(("! ", "yellow"), warning))


def _print_found(report: DatasetReport) -> None:
    found, sizes = report.found, report.sizes
    changed = [f"{count:,} {_CONVERSIONS.get(name, name)}" for name, count in report.conversions.items() if count]
    print_pairs(
        [
            ("found", f"{found.images:,} images in {found.entries:,} entries, {words.bytes_(found.bytes)}"),
            ("masks", f"{found.masks:,}" if found.masks else ""),
            ("taken", f"{report.new_images:,} new, {report.images:,} in the version"),
            ("formats", ", ".join(f"{count:,} {name}" for name, count in report.formats.items())),
            (
                "width",
                f"{sizes.width.min:,} to {sizes.width.max:,} px, median {sizes.width.median:,.0f}" if sizes else "",
            ),
            (
                "height",
                f"{sizes.height.min:,} to {sizes.height.max:,} px, median {sizes.height.median:,.0f}" if sizes else "",
            ),
            ("splits", "as the folders name them" if report.ready_made_splits else "dealt by class"),
            ("changed", ", ".join(changed)),
            ("left out", f"{report.dropped_duplicates:,} exact duplicates" if report.dropped_duplicates else ""),
        ]
    )


def _print_classes(report: DatasetReport) -> None:
    if not report.classes:
        return
    console().print()
    most = max(one.total for one in report.classes) or 1
    small = set(report.small_classes)
    rows = (
        (
            words.middle_cut(one.name, 40),
            f"{one.train:,}",
            f"{one.val:,}",
            f"{one.test:,}",
            f"{one.total:,}",
            Text("█" * max(1, round(_BAR * one.total / most)), style="yellow" if one.name in small else "cyan"),
        )
        for one in report.classes[:_MOST_CLASSES]
    )
    print_table(("CLASS", ">TRAIN", ">VAL", ">TEST", ">ALL", ""), rows, empty="")
    if len(report.classes) > _MOST_CLASSES:
        console().print(f"and {len(report.classes) - _MOST_CLASSES:,} classes more", style="dim")


def _print_problems(report: DatasetReport) -> None:
    if not report.problem_counts:
        return
    total = sum(report.problem_counts.values())
    kinds = ", ".join(f"{count:,} {code}" for code, count in report.problem_counts.items())
    console().print(f"\nFiles with problems: {total:,} ({kinds})", style="bold")
    for problem in report.problems[:_MOST_PROBLEMS]:
        console().print(_problem(problem), soft_wrap=True)
    left = total - min(len(report.problems), _MOST_PROBLEMS)
    if left > 0:
        console().print(f"and {left:,} more; --json has those that the report lists", style="dim")


def _problem(problem: Problem) -> Text:
    mark = ("✗ ", "red") if problem.left_out else ("· ", "yellow")
    return Text.assemble(mark, (problem.name, "bold"), "  ", problem.text, (f"  {problem.code}", "dim"))


def _print_groups(title: str, groups: Groups) -> None:
    if not groups.count:
        return
    console().print(f"\n{title}: {groups.count:,} group{'s' if groups.count > 1 else ''}", style="bold")
    for group in groups.groups[:_MOST_GROUPS]:
        more = f" and {len(group) - _MOST_IN_GROUP} more" if len(group) > _MOST_IN_GROUP else ""
        console().print(f"  {' = '.join(_places(group[:_MOST_IN_GROUP]))}{more}", soft_wrap=True)
    if groups.count > _MOST_GROUPS:
        console().print(f"  and {groups.count - _MOST_GROUPS:,} groups more", style="dim")


def _places(group: Sequence[Place]) -> Iterator[str]:
    for place in group:
        marks = [place.split or "", "left out" if place.left_out else "", "earlier" if place.earlier else ""]
        said = ", ".join(filter(None, marks))
        yield f"{place.name} ({said})" if said else place.name


def _counts(counts: dict[str, int]) -> str:
    return " + ".join(f"{count:,} {split}" for split, count in counts.items())
