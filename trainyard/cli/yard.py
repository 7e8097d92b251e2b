"""Commands on the yard: up, demo, migrate; devices, queue; config, version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainyard.cli.session import FAILED, JsonFlag, connect, settings_of

if TYPE_CHECKING:
    from trainyard.results import Device

config = typer.Typer(help="The settings in force.", no_args_is_help=True)


def up(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Folder of everything the yard keeps [TRAINYARD_HOME].")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8080,
    worker: Annotated[bool, typer.Option(help="Whether this machine also works on jobs.")] = True,
) -> None:
    """Run a yard on this machine until Ctrl-C: database, broker, API and worker."""
    import logging

    from trainyard.up import run_yard

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    settings = settings_of(context)
    if home is not None:
        settings = settings.model_copy(update={"home": home.expanduser().absolute()})
    run_yard(settings, host=host, port=port, worker=worker, say=typer.echo)


def demo(
    context: typer.Context,
    spec: Annotated[Path | None, typer.Option(help="Another spec than the example's.")] = None,
    home: Annotated[Path | None, typer.Option(help="Another home than var/demo of the checkout.")] = None,
) -> None:
    """Start a yard, train LeNet-5 on MNIST on it over HTTP, show it live, and stop the yard."""
    from trainyard.cli.demo import run_demo

    if not run_demo(spec=spec, home=home):
        raise typer.Exit(FAILED)


def migrate(context: typer.Context) -> None:
    """Bring the database to the newest schema and see to an administrator; `up` does it by itself."""
    from trainyard.prepare import prepare

    settings = settings_of(context)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = prepare(settings)
    typer.echo("The database is at the newest schema.")
    if token:
        typer.echo(f"The administrator's token, shown this once: {token}")


def devices(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the devices of the yard's workers, and what holds them."""
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table

    found = list(connect(context).devices())
    if as_json:
        print_json(found)
        return
    rows = (
        (
            d.name,
            d.worker,
            d.model,
            words.bytes_(d.memory_bytes),
            words.bytes_(max(0, d.memory_bytes - d.lent_bytes - d.taken_bytes)),
            _holders(d),
        )
        for d in found
    )
    columns = ("DEVICE", "WORKER", "MODEL", ">MEMORY", ">FREE", "HELD BY")
    print_table(columns, rows, empty="No worker is online.", stretch="MODEL")


def queue(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the waiting jobs, the next first, each with the reason why it waits."""
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table

    found = list(connect(context).queue())
    if as_json:
        print_json(found)
        return
    rows = (
        (
            w.place,
            w.job_id,
            w.name or w.kind,
            w.owner,
            words.ago(w.created_at),
            words.start(w.expected_start),
            w.reason.text if w.reason else "",
        )
        for w in found
    )
    columns = (">PLACE", ">JOB", "NAME", "OWNER", "SUBMITTED", "EXPECTED START", "WHY IT WAITS")
    print_table(columns, rows, empty="Nothing waits.", stretch="WHY IT WAITS")


def _holders(device: Device) -> str:
    """Who holds how much of a device."""
    from trainyard.cli import words

    parts = [
        f"{f'job {lease.job_id}' if lease.job_id else 'a job'} {words.bytes_(lease.memory_bytes)}"
        for lease in device.leases
    ]
    if device.taken_bytes:
        parts.append(f"outsiders {words.bytes_(device.taken_bytes)}")
    return ", ".join(parts) or "free"


@config.command("show")
def show_config(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show every setting, where it came from, and nothing secret."""
    from trainyard.cli.output import print_json, print_table
    from trainyard.cli.settings_sheet import describe_settings

    rows = describe_settings(settings_of(context))
    if as_json:
        print_json({row.variable: {"value": row.value, "source": row.source} for row in rows})
    else:
        table = ((row.variable, row.value, row.source) for row in rows)
        print_table(("VARIABLE", "VALUE", "FROM"), table, empty="", stretch="VALUE")


def version(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Print the version of this command line."""
    from trainyard import __version__
    from trainyard.cli.output import print_json

    if as_json:
        print_json({"version": __version__})
    else:
        typer.echo(f"trainyard {__version__}")


RUN: dict[str, Callable[..., None]] = {"up": up, "demo": demo, "migrate": migrate}
LOOK: dict[str, Callable[..., None]] = {"devices": devices, "queue": queue, "version": version}
