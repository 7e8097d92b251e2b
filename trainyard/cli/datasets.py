"""Commands on datasets: list them, send one's own, watch their check, look into them, delete them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import FAILED, JsonFlag, connect

if TYPE_CHECKING:
    from trainyard.client import Client
    from trainyard.dataset_results import DatasetVersion

datasets = typer.Typer(help="The datasets that the yard knows, and your own.", invoke_without_command=True)

Reference = Annotated[str, typer.Argument(help="NAME, NAME@VERSION or OWNER/NAME@VERSION.", metavar="DATASET")]
Task = Annotated[str, typer.Option(help="classification, or segmentation for images with masks.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Accept the images without the files that are bad.")]
Labels = Annotated[str | None, typer.Option(metavar="CSV", help="The CSV with columns file,label in the upload.")]
Split = Annotated[str, typer.Option(metavar="TRAIN/VAL/TEST", help="Shares, where the folders name no splits.")]
Seed = Annotated[int, typer.Option(min=0, help="Which images go into which split follows from it.")]
Longest = Annotated[int, typer.Option("--longest-px", min=0, help="Shrink images to this longest side; 0 keeps sizes.")]
Duplicates = Annotated[bool, typer.Option("--keep-duplicates", help="Keep images with exactly the same content.")]
Wait = Annotated[bool, typer.Option(help="Wait until every image was looked at.")]


@datasets.callback()
def list_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the datasets that the yard knows, and your own."""
    if context.invoked_subcommand is None:
        _list(context, as_json=as_json, mine=False)


@datasets.command("list")
def list_datasets(
    context: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="Only your own.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the datasets that the yard knows, and your own."""
    _list(context, as_json=as_json, mine=mine)


@datasets.command("upload")
def upload(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="A folder with images, or a zip or tar of one.", exists=True)],
    name: Annotated[str, typer.Option(help="Its name; made from the folder's when left out.")] = "",
    add: Annotated[bool, typer.Option("--add", help="Add the images to a dataset that is there.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="A new version with these images alone.")] = False,
    task: Task = "classification",
    skip_bad: SkipBad = False,
    labels: Labels = None,
    split: Split = "0.8/0.1/0.1",
    seed: Seed = 0,
    longest_px: Longest = 1024,
    keep_duplicates: Duplicates = False,
    wait: Wait = True,
    as_json: JsonFlag = False,
) -> None:
    """Send images and have them checked.

    A folder for each class, or ready-made train, val and test folders with those inside, or images with a CSV of
    labels. What broke off is taken up again: give the same command once more. Exit status 1 when it is refused.
    """
    from trainyard.cli.dataset_progress import sending

    options: dict[str, Any] = {
        "task": task,
        "skip_bad": skip_bad,
        "labels": labels,
        "splits": {**_shares(split), "seed": seed},
        "longest_px": longest_px or None,
        "keep_duplicates": keep_duplicates,
    }
    client = connect(context)
    with sending(quiet=as_json) as tell:
        version = client.upload_dataset(
            source, name or name_from(source), add=add, replace=replace, tell=tell, **options
        )
    _finish(client, version, wait=wait, as_json=as_json)


@datasets.command("retry")
def retry(
    context: typer.Context,
    ref: Reference,
    skip_bad: Annotated[bool | None, typer.Option("--skip-bad/--all-or-nothing", help="Without the bad files.")] = None,
    wait: Wait = True,
    as_json: JsonFlag = False,
) -> None:
    """Check a refused upload once more, without sending it again: mostly with --skip-bad."""
    client = connect(context)
    refused = client.dataset_version(ref)
    if refused.status != "refused":
        raise typer.BadParameter(f"{refused.ref} is {refused.status}; only a refused version can be tried again.")
    if refused.upload is None and refused.folder is None:
        raise typer.BadParameter(f"The upload of {refused.ref} is kept no longer. Send it again.")
    options = {**refused.options, **({} if skip_bad is None else {"skip_bad": skip_bad})}
    source = {"upload": refused.upload} if refused.upload else {"folder": refused.folder}
    is_first = all(one.status == "refused" for one in client.dataset_versions(ref))
    extra = {} if is_first else {"add": True} | ({"parent": refused.parent} if refused.parent else {"replace": True})
    _finish(client, client.make_dataset(refused.dataset, **source, **extra, **options), wait=wait, as_json=as_json)


@datasets.command("show")
def show(context: typer.Context, ref: Reference, as_json: JsonFlag = False) -> None:
    """Show a dataset, or one version of it."""
    from trainyard.cli.dataset_sheet import print_dataset, print_version
    from trainyard.cli.output import print_json

    client = connect(context)
    if "@" in ref:
        version = client.dataset_version(ref)
        print_json(version) if as_json else print_version(version)
        return
    found = client.dataset(ref)
    if as_json:
        print_json(found)
    elif found.owner is None or found.status == "empty":
        print_dataset(found)
    else:
        print_version(client.dataset_version(f"{ref}@{found.version}" if found.version else ref))


@datasets.command("versions")
def versions(context: typer.Context, ref: Reference, as_json: JsonFlag = False) -> None:
    """List the versions of a dataset, the newest first."""
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table, status_text

    found = list(connect(context).dataset_versions(ref))
    if as_json:
        print_json(found)
        return
    rows = (
        (
            v.number,
            status_text(v.status),
            f"{v.images:,}" if v.images else "",
            f"adds to {v.parent}" if v.parent else "",
            words.bytes_(v.size_bytes) if v.size_bytes else "",
            words.ago(v.created_at),
            v.created_by,
            v.reason.text if v.reason and v.reason.text else (v.sha256 or "")[:12],
        )
        for v in found
    )
    columns = (">VERSION", "STATUS", ">IMAGES", "PARENT", ">SIZE", "CREATED", "BY", "HASH OR REASON")
    print_table(columns, rows, empty="It has no version.", stretch="HASH OR REASON")


@datasets.command("report")
def report(context: typer.Context, ref: Reference, as_json: JsonFlag = False) -> None:
    """Print what was found in an upload: classes, sizes, bad files, duplicates, and what to look at."""
    from trainyard.cli.dataset_sheet import print_report
    from trainyard.cli.output import print_json

    client = connect(context)
    found = client.dataset_report(ref)
    print_json(found) if as_json else print_report(found)


@datasets.command("sheet")
def sheet(
    context: typer.Context,
    ref: Reference,
    class_name: Annotated[str | None, typer.Option("--class", help="Of this class alone.")] = None,
    target: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Save a picture with samples of every class, or of one."""
    from trainyard.cli.output import print_json

    client = connect(context)
    version = client.dataset_version(ref)
    default = f"{version.dataset}-{version.number}{'-' + class_name if class_name else ''}.png"
    path = client.save_dataset_sheet(version.ref, target or Path(default.replace("/", "-")), class_name=class_name)
    print_json({"file": str(path)}) if as_json else typer.echo(str(path))


@datasets.command("delete")
def delete(
    context: typer.Context,
    ref: Reference,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Delete a dataset with all its versions; with @VERSION, that one alone. What jobs were trained on stays."""
    from trainyard.cli.output import print_json

    if not yes:
        typer.confirm(f"Delete {ref}{'' if '@' in ref else ' with all its versions'}?", abort=True)
    connect(context).delete_dataset(ref)
    print_json({"deleted": ref}) if as_json else typer.echo(f"{ref} is deleted.")


def name_from(source: Path) -> str:
    """A dataset's name out of a folder's or an archive's."""
    stem = re.sub(r"\.(zip|tar|tgz|tar\.(gz|bz2|xz))$", "", source.resolve().name, flags=re.IGNORECASE)
    name = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-_")[:63]
    if not name:
        raise typer.BadParameter(f"No name can be made of {source.name!r}. Say one with --name.")
    return name


def _list(context: typer.Context, *, as_json: bool, mine: bool) -> None:
    from trainyard.cli.dataset_sheet import print_datasets
    from trainyard.cli.output import print_json

    found = list(connect(context).datasets(mine=mine))
    print_json(found) if as_json else print_datasets(found)


def _finish(client: Client, version: DatasetVersion, *, wait: bool, as_json: bool) -> None:
    """Wait for the verdict if wanted, print how it stands, and end with the status that says so."""
    from trainyard.cli.dataset_progress import watch
    from trainyard.cli.dataset_sheet import print_report, print_verdict
    from trainyard.cli.output import console, print_json

    if wait:
        version = watch(client, version, quiet=as_json)
    if as_json:
        print_json(version)
    elif not version.is_decided:
        console().print(f"{version.ref} is being checked. `trainyard datasets show {version.ref}` tells how it stands.")
    else:
        if version.report:
            print_report(client.dataset_report(version.ref))
            console().print()
        print_verdict(version)
    if version.status == "refused":
        raise typer.Exit(FAILED)


def _shares(split: str) -> dict[str, float]:
    """`0.8/0.1/0.1`, or `80/10/10`."""
    parts = split.split("/")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or not sum(numbers) > 0 or min(numbers) < 0:
        raise typer.BadParameter(f"Expected --split TRAIN/VAL/TEST, such as 0.8/0.1/0.1 or 80/10/10, got {split!r}.")
    whole = 100.0 if abs(sum(numbers) - 100) < 1e-6 else 1.0
    return {name: number / whole for name, number in zip(("train", "val", "test"), numbers, strict=True)}
