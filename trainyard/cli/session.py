"""What every command stands on: which yard is meant, a client for it, and how an error ends the program.

Exit statuses: 0 well, 1 the job failed or the yard refused, 2 wrong usage, 3 no yard can be reached.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from records.errors import TrainyardError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from records.settings import Settings
    from trainyard.client import Client
    from trainyard.results import Job

FAILED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
JobId = Annotated[int, typer.Argument(help="The job's number.", metavar="JOB", min=1)]
NewestJobId = Annotated[
    int | None, typer.Argument(help="The job's number; the newest job without it.", metavar="JOB", min=1)
]


@dataclass(frozen=True)
class Place:
    """Which yard the command line was pointed at; what is not given comes from the environment."""

    home: Path | None = None
    url: str = ""


class YardGroup(TyperGroup):
    """Commands whose errors become a line or two and an exit status, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TrainyardError as error:
            raise typer.Exit(_tell(error)) from error
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # whoever read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(FAILED) from None


def settings_of(context: typer.Context) -> Settings:
    """The settings of the environment, with the place that the command line names."""
    from pydantic import ValidationError

    from records.settings import Settings

    place = context.find_object(Place) or Place()
    changes: dict[str, Any] = {"url": place.url} if place.url else {}
    if place.home is not None:
        changes["home"] = place.home.expanduser().absolute()
        if not place.url:  # a home on the command line wins over an address in the environment
            changes |= {"url": "", "token": None}
    try:
        return Settings.from_environment().model_copy(update=changes)
    except ValidationError as error:
        raise TrainyardError(_bad_settings(error)) from error


def connect(context: typer.Context) -> Client:
    """A client for the yard that is meant."""
    from trainyard.client import Client

    client = Client.from_settings(settings_of(context), patience_s=3.0)
    context.call_on_close(client.close)
    return client


def choose_job(client: Client, job_id: int | None) -> Job:
    """The job of that number, or the newest."""
    if job_id is not None:
        return client.get(job_id)
    newest = next(client.list(limit=1), None)
    if newest is None:
        raise TrainyardError("This yard has no job yet. `trainyard submit` sends one.")
    return newest


def complain(text: str) -> None:
    """Say something on standard error."""
    typer.echo(f"{typer.style('trainyard:', fg='red', bold=True)} {text}", err=True)


def _bad_settings(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)  # the input may be a secret
    lines = "".join(f"\n  {'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
    return f"a setting in the environment (TRAINYARD_…, DATABASE_URL, REDIS_URL) makes no sense:{lines}"


def _tell(error: TrainyardError) -> int:
    from trainyard.errors import ApiError, NotAuthorized, Unreachable

    if isinstance(error, Unreachable):
        complain(f"{error.text}\nStart one with `trainyard up`, or name another with --home, --url or TRAINYARD_URL.")
        return UNREACHABLE
    if isinstance(error, ApiError) and error.problems:
        complain(f"the yard refused ({error.code}):")
        for problem in error.problems:
            typer.echo(f"  {problem.path or 'body'}: {problem.text}", err=True)
        return FAILED
    hint = "\nSet TRAINYARD_TOKEN, or TRAINYARD_HOME to the yard's home." if isinstance(error, NotAuthorized) else ""
    complain(error.text + hint)
    return FAILED
