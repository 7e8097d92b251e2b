"""Commands on registered models: list, show, register, alias, download, delete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import JsonFlag, connect

if TYPE_CHECKING:
    from trainyard.results import FullModel, ModelVersion

models = typer.Typer(help="Registered models: results of runs with a name and a number.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="Of the registered model; OWNER/NAME for another's.", metavar="NAME")]
Ref = Annotated[str, typer.Argument(help="NAME@ALIAS, NAME@NUMBER, or NAME for the newest.", metavar="MODEL")]


@models.callback()
def list_models(
    context: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="Only my own.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List registered models."""
    if context.invoked_subcommand is not None:
        return
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table

    found = list(connect(context).models.list(mine=mine))
    if as_json:
        print_json(found)
        return
    rows = (
        (
            model.name,
            model.newest or "",
            model.versions,
            "  ".join(f"{alias.name}→{alias.version}" for alias in model.aliases),
            words.ago(model.created_at),
            model.owner,
        )
        for model in found
    )
    columns = ("NAME", ">NEWEST", ">VERSIONS", "ALIASES", "MADE", "OWNER")
    empty = "No registered model yet. `trainyard models register NAME JOB` makes one."
    print_table(columns, rows, empty=empty, stretch="ALIASES")


@models.command("show")
def show_model(context: typer.Context, name: Name, as_json: JsonFlag = False) -> None:
    """Show a registered model: its versions, its aliases and where they have been."""
    from trainyard.cli.output import print_json

    found = connect(context).models.get(name)
    if as_json:
        print_json(found)
    else:
        _print_model(found)


@models.command("register")
def register_model(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Small letters, digits and _ . -")],
    job_id: Annotated[int, typer.Argument(help="Whose result it is.", metavar="JOB", min=1)],
    artifact: Annotated[str | None, typer.Option(help="The kept file; model.keras without it.")] = None,
    note: Annotated[str | None, typer.Option(help="A few words.")] = None,
    alias: Annotated[str | None, typer.Option(help="Let this alias point at it, too.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Number a run's result under a name."""
    registry = connect(context).models
    version = registry.register(name, job_id, artifact=artifact, note=note)
    if alias:
        registry.point(name, alias, version.number)
        version = registry.version(f"{name}@{version.number}")
    _tell(version, f"{version.ref} is the result of job {job_id}.", as_json=as_json)


@models.command("alias")
def point_alias(
    context: typer.Context,
    name: Name,
    alias: Annotated[str, typer.Argument(help="Such as champion.")],
    number: Annotated[int | None, typer.Argument(help="The version's number.", metavar="NUMBER", min=1)] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the alias away.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let an alias point at a version, or take it away."""
    from trainyard.cli.output import console, print_json

    if remove == (number is not None):
        raise typer.BadParameter("Name the version's NUMBER, or say --remove.")
    registry = connect(context).models
    if number is None:
        registry.drop_alias(name, alias)
    else:
        registry.point(name, alias, number)
    if as_json:
        print_json(registry.get(name))
    else:
        console().print(f"{name}@{alias} {'is no more' if number is None else f'is version {number}'}.")


@models.command("download")
def download_model(
    context: typer.Context,
    ref: Ref,
    file: Annotated[str | None, typer.Option(help="Another file of the version.")] = None,
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder to put it in.")] = Path(),
    as_json: JsonFlag = False,
) -> None:
    """Download what a version stands for, checked against its SHA-256."""
    from trainyard.cli import words
    from trainyard.cli.output import console, print_json

    folder.mkdir(parents=True, exist_ok=True)
    path = connect(context).models.download(ref, folder, file=file)
    if as_json:
        print_json({"files": [str(path)]})
    else:
        console().print(f"{path}  {words.bytes_(path.stat().st_size)}", soft_wrap=True)


@models.command("delete")
def delete_model(context: typer.Context, ref: Ref, as_json: JsonFlag = False) -> None:
    """Delete a version (NAME@NUMBER), or a registered model with all its versions (NAME)."""
    from records.references import parse_reference
    from trainyard.cli.output import console, print_json

    asked, registry = parse_reference(ref), connect(context).models
    name = ref.partition("@")[0]
    if asked.alias:
        raise typer.BadParameter(f"Say the version's number, as in {asked.name}@3: an alias may move at any time.")
    if asked.number:
        registry.delete_version(name, asked.number)
    else:
        registry.delete(name)
    if as_json:
        print_json({"deleted": ref})
    else:
        console().print(f"{ref} is deleted.")


# ── printing ─────────────────────────────────────────────────────────────────────────────────────────────────


def _print_model(model: FullModel) -> None:
    from trainyard.cli import words
    from trainyard.cli.output import console, print_table

    console().print(f"{model.owner}/{model.name}", style="bold")
    rows = (
        (v.number, f"#{v.job_id}", " ".join(v.aliases), _metrics(v), words.ago(v.created_at), v.note or "")
        for v in model.versions
    )
    columns = (">VERSION", "JOB", "ALIASES", "METRICS", "MADE", "NOTE")
    print_table(columns, rows, empty="No version any more.", stretch="NOTE")
    if model.moves:
        console().print("\nMoves", style="bold")
        moves: Any = (
            (m.alias, m.from_version or "–", m.to_version or "–", m.actor, words.ago(m.at)) for m in model.moves
        )
        print_table(("ALIAS", ">FROM", ">TO", "BY", "WHEN"), moves, empty="")


def _metrics(version: ModelVersion) -> str:
    """The numbers of the test split, or else the first few."""
    from trainyard.cli import words

    numbers = {name: value for name, value in version.metrics.items() if isinstance(value, float)}
    chosen = {name: value for name, value in numbers.items() if name.startswith("test/")} or numbers
    return "  ".join(f"{name} {words.value(value)}" for name, value in list(chosen.items())[:2])


def _tell(version: ModelVersion, text: str, *, as_json: bool) -> None:
    from trainyard.cli.output import console, print_json

    if as_json:
        print_json(version)
    else:
        console().print(text)
