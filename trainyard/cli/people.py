"""Commands on people: users, tokens, teams, share, audit, whoami, password."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainyard.cli.session import JsonFlag, complain, connect

if TYPE_CHECKING:
    from trainyard.people_results import Token, User

users = typer.Typer(help="Accounts, for administrators.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens, which stand for you.", no_args_is_help=True)
teams = typer.Typer(help="Teams: people who share things.", no_args_is_help=True)

Person = Annotated[str, typer.Argument(help="A person's name.", metavar="NAME")]
TeamName = Annotated[str, typer.Argument(help="The team's name.", metavar="TEAM")]
OwnerOption = Annotated[str | None, typer.Option("--user", help="Another's, for administrators.")]


# ── users ────────────────────────────────────────────────────────────────────────────────────────────────────


@users.command("list")
def list_users(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List everybody with an account."""
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table

    found = list(connect(context).people.list())
    if as_json:
        print_json(found)
        return
    rows = (
        (u.name, u.role, "active" if u.active else "deactivated", "yes" if u.has_password else "no",
         " ".join(u.teams), words.ago(u.created_at))
        for u in found
    )  # fmt: skip
    print_table(("NAME", "ROLE", "STATE", "PASSWORD", "TEAMS", "ADDED"), rows, empty="Nobody.", stretch="TEAMS")


@users.command("add")
def add_user(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Small letters, digits and _ . -")],
    admin: Annotated[bool, typer.Option("--admin", help="As an administrator.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a person; prints an invitation, shown this once, with which they log in and choose a password."""
    user = connect(context).people.add(name, role="admin" if admin else "member")
    _tell_invited(user, f"{user.name} is added.", as_json=as_json)


@users.command("reset")
def reset_user(context: typer.Context, name: Person, as_json: JsonFlag = False) -> None:
    """Take somebody's password, sessions and tokens away, and print a new invitation."""
    user = connect(context).people.reset(name)
    _tell_invited(user, f"{user.name} is out, with every token.", as_json=as_json)


@users.command("deactivate")
def deactivate_user(context: typer.Context, name: Person, as_json: JsonFlag = False) -> None:
    """Let nobody in as this person any more, at once. What is theirs stays."""
    _tell_user(connect(context).people.change(name, active=False), "is deactivated", as_json=as_json)


@users.command("activate")
def activate_user(context: typer.Context, name: Person, as_json: JsonFlag = False) -> None:
    """Let a person in again."""
    _tell_user(connect(context).people.change(name, active=True), "is active", as_json=as_json)


@users.command("role")
def change_role(
    context: typer.Context,
    name: Person,
    role: Annotated[str, typer.Argument(help="admin or member.", metavar="ROLE")],
    as_json: JsonFlag = False,
) -> None:
    """Make somebody an administrator, or a member."""
    if role not in ("admin", "member"):
        raise typer.BadParameter(f"Expected admin or member, got {role!r}.")
    _tell_user(connect(context).people.change(name, role=role), f"is {role}", as_json=as_json)


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────


@tokens.command("list")
def list_tokens(context: typer.Context, owner: OwnerOption = None, as_json: JsonFlag = False) -> None:
    """List your tokens, the newest first."""
    from trainyard.cli import words
    from trainyard.cli.output import print_json, print_table

    found = list(connect(context).people.tokens(owner=owner))
    if as_json:
        print_json(found)
        return
    rows: Any = ((t.id, t.name, t.scope, _state(t), words.ago(t.created_at)) for t in found)
    print_table((">ID", "NAME", "SCOPE", "STATE", "MADE"), rows, empty="No token.", stretch="NAME")


@tokens.command("make")
def make_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[str, typer.Option(help="read, write or full.")] = "write",
    days: Annotated[int, typer.Option(help="It ends after so many days; 0 for never.", min=0, max=3650)] = 90,
    as_json: JsonFlag = False,
) -> None:
    """Make a token for yourself; it is printed this once."""
    from trainyard.cli.output import print_json

    made = connect(context).people.make_token(name, scope=scope, expires_in_days=days or None)
    if as_json:
        print_json(made)
    else:
        complain(f"token {made.id}, scope {made.scope}, shown this once:")
        typer.echo(made.token)


@tokens.command("revoke")
def revoke_token(
    context: typer.Context,
    token_id: Annotated[int, typer.Argument(help="As `tokens list` tells.", metavar="ID", min=1)],
    owner: OwnerOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Take a token back; it stands for nobody from now on."""
    connect(context).people.revoke_token(token_id, owner=owner)
    _done(f"Token {token_id} is revoked.", {"revoked": token_id}, as_json=as_json)


# ── teams ────────────────────────────────────────────────────────────────────────────────────────────────────


@teams.command("list")
def list_teams(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the teams that you are in; for administrators all."""
    from trainyard.cli.output import print_json, print_table

    found = list(connect(context).people.teams())
    if as_json:
        print_json(found)
        return
    rows = ((team.name, " ".join(team.members)) for team in found)
    print_table(("TEAM", "MEMBERS"), rows, empty="You are in no team.", stretch="MEMBERS")


@teams.command("make")
def make_team(context: typer.Context, team: TeamName, as_json: JsonFlag = False) -> None:
    """Make a team, for administrators."""
    connect(context).people.make_team(team)
    _done(f"Team {team} is made. `trainyard teams add {team} NAME` lets people in.", {"made": team}, as_json=as_json)


@teams.command("delete")
def delete_team(context: typer.Context, team: TeamName, as_json: JsonFlag = False) -> None:
    """Delete a team, for administrators; what was shown to it becomes private."""
    connect(context).people.delete_team(team)
    _done(f"Team {team} is deleted.", {"deleted": team}, as_json=as_json)


@teams.command("add")
def add_member(context: typer.Context, team: TeamName, name: Person, as_json: JsonFlag = False) -> None:
    """Let somebody into a team, for administrators."""
    connect(context).people.join(team, name)
    _done(f"{name} is in {team}.", {"team": team, "added": name}, as_json=as_json)


@teams.command("remove")
def remove_member(context: typer.Context, team: TeamName, name: Person, as_json: JsonFlag = False) -> None:
    """Let somebody out of a team, for administrators."""
    connect(context).people.leave(team, name)
    _done(f"{name} is no longer in {team}.", {"team": team, "removed": name}, as_json=as_json)


# ── who sees what, and who did what ──────────────────────────────────────────────────────────────────────────


def share(
    context: typer.Context,
    thing: Annotated[
        str, typer.Argument(help="A job's number, dataset:NAME or model:NAME (OWNER/NAME for another's).")
    ],
    team: Annotated[str | None, typer.Option(help="Show it to this team, which you are in.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Show it to everybody with an account here.")] = False,
    private: Annotated[bool, typer.Option("--private", help="Show it to nobody else.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say who sees a job, a dataset or a registered model: yourself alone, a team, or everybody here."""
    from trainyard.cli.output import print_json

    if (team is not None) + public + private != 1:
        raise typer.BadParameter("Say one of --team TEAM, --public, --private.")
    path, owner = _thing(thing)
    visibility = "team" if team else "public" if public else "private"
    shown = connect(context).people.show(path, visibility, team=team, owner=owner)
    if as_json:
        print_json(shown)
    else:
        typer.echo(f"{thing} is {f'shown to the team {team}' if team else visibility}.")


def audit(
    context: typer.Context,
    actor: Annotated[str | None, typer.Option("--user", help="Only what this person did.")] = None,
    act: Annotated[str | None, typer.Option(help="Only this act, such as job.cancelled, or all of job.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Print who did what, on what and from where, for administrators."""
    from trainyard.cli.output import print_json, print_table

    found = list(islice(connect(context).people.audit(actor=actor, act=act), limit))
    if as_json:
        print_json(found)
        return
    rows = (
        (f"{line.at.astimezone():%Y-%m-%d %H:%M:%S}", line.actor, line.act, line.subject, line.text, line.address)
        for line in found
    )
    print_table(("WHEN", "WHO", "WHAT", "ON WHAT", "MORE", "FROM"), rows, empty="Nothing yet.", stretch="MORE")


def password(context: typer.Context) -> None:
    """Give yourself a password for the pages, or another one; it is asked for, and not shown."""
    people = connect(context).people
    current = typer.prompt("Your password", hide_input=True) if people.me().has_password else None
    new = typer.prompt("The new one", hide_input=True, confirmation_prompt=True)
    people.change_password(new, current=current)
    typer.echo("Changed. Other sessions of yours have ended; tokens stay.")


def whoami(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Print who you are to this yard."""
    from trainyard.cli.output import print_json, print_pairs

    me = connect(context).people.me()
    if as_json:
        print_json(me)
        return
    pairs = [("name", me.name), ("role", me.role), ("scope of the token", me.scope), ("teams", " ".join(me.teams))]
    print_pairs([*pairs, ("password", "yes" if me.has_password else "none yet: `trainyard password` sets one")])


COMMANDS: dict[str, Callable[..., None]] = {"share": share, "audit": audit, "password": password, "whoami": whoami}


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _thing(text: str) -> tuple[str, str | None]:
    """The path of what is to be shown, and whose it is."""
    if re.fullmatch(r"[0-9]{1,10}", text):
        return f"jobs/{text}", None
    kind, _, ref = text.partition(":")
    if kind not in ("dataset", "model") or not ref:
        raise typer.BadParameter(f"Expected a job's number, dataset:NAME or model:NAME, got {text!r}.")
    owner, _, name = ref.rpartition("/")
    return f"{kind}s/{name}", owner or None


def _state(token: Token) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if not token.live:
        return "expired"
    return f"until {token.expires_at:%Y-%m-%d}" if token.expires_at else "for ever"


def _tell_invited(user: User, text: str, *, as_json: bool) -> None:
    from trainyard.cli.output import print_json

    if as_json:
        print_json(user)
        return
    complain(f"{text} Their invitation, good for a week and shown this once:")
    typer.echo(user.invitation)


def _tell_user(user: User, text: str, *, as_json: bool) -> None:
    _done(f"{user.name} {text}.", user.model_dump(mode="json"), as_json=as_json)


def _done(text: str, result: dict[str, Any], *, as_json: bool) -> None:
    from trainyard.cli.output import print_json

    if as_json:
        print_json(result)
    else:
        typer.echo(text)
