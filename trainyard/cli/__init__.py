"""The command line. Only Typer is loaded here; each command loads what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainyard.cli import (
    datasets,
    edits,
    estimates,
    evaluate,
    files,
    jobs,
    models,
    networks,
    operations,
    predict,
    replay,
    style,
    training,
    yard,
)
from trainyard.cli.session import Place, YardGroup

app = typer.Typer(
    name="trainyard",
    cls=YardGroup,
    help="Train image networks on a yard of your own. `trainyard up` starts one on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Folder of a yard on this machine [TRAINYARD_HOME].")] = None,
    url: Annotated[str, typer.Option(help="Address of a yard [TRAINYARD_URL].")] = "",
) -> None:
    """Remember which yard is meant."""
    context.obj = Place(home=home, url=url)


_COMMANDS = {
    **yard.RUN,
    **training.COMMANDS,
    **estimates.COMMANDS,
    **jobs.COMMANDS,
    **edits.COMMANDS,
    **files.COMMANDS,
    **predict.COMMANDS,
    **evaluate.COMMANDS,
    **style.COMMANDS,
    **yard.LOOK,
    **replay.COMMANDS,
    **operations.COMMANDS,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
app.command("tag", context_settings=edits.TAG_SETTINGS)(edits.tag)
app.add_typer(yard.config, name="config")
app.add_typer(datasets.datasets, name="datasets")
app.add_typer(networks.networks, name="networks")
app.add_typer(models.models, name="models")
