"""People from Python: `Client.people`.

yard.people.add("ada")
yard.people.make_token("cluster", scope="write", expires_in_days=30)
yard.people.show("jobs/7", team="vision")
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from trainyard.people_results import AuditLine, Me, Shown, Team, Token, User
from trainyard.reader import Reader, present

_API = "/api/v1"


class People(Reader):
    """Accounts, tokens, teams, and who sees what."""

    def me(self) -> Me:
        """Who one is."""
        return self._parse(Me, self._transport.read(f"{_API}/me"))

    def change_password(self, new: str, *, current: str | None = None) -> None:
        """Give oneself a password; `current` where there is one already."""
        body = present({"current": current, "new": new})
        self._transport.send("PUT", f"{_API}/me/password", json=body)

    # ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────

    def tokens(self, *, owner: str | None = None) -> Iterator[Token]:
        """One's own tokens, the newest first; another's for administrators."""
        return self._all(Token, f"{_API}/tokens", present({"owner": owner}))

    def make_token(self, name: str, *, scope: str = "write", expires_in_days: int | None = 90) -> Token:
        """Make a token for oneself; its `token` can never be read again."""
        body = {"name": name, "scope": scope, "expires_in_days": expires_in_days}
        return self._one(Token, self._transport.send("POST", f"{_API}/tokens", json=body, repeatable=False))

    def revoke_token(self, token_id: int, *, owner: str | None = None) -> None:
        """Take a token back."""
        self._transport.send("DELETE", f"{_API}/tokens/{token_id}", params=present({"owner": owner}))

    # ── accounts, for administrators ─────────────────────────────────────────────────────────────────────────

    def list(self) -> Iterator[User]:
        """Everybody with an account, by name."""
        return self._all(User, f"{_API}/users", {})

    def add(self, name: str, *, role: str = "member", password: str | None = None) -> User:
        """Add a person. Without a password the reply has an `invitation` to get in with."""
        body = present({"name": name, "role": role, "password": password})
        return self._one(User, self._transport.send("POST", f"{_API}/users", json=body, repeatable=False))

    def change(self, name: str, **changes: Any) -> User:
        """Change an account: `role` ("admin", "member"), `active` (False lets nobody in as them)."""
        return self._one(User, self._transport.send("PATCH", _user(name), json=changes))

    def reset(self, name: str) -> User:
        """Take somebody's password, sessions and tokens away; the reply has a new `invitation`."""
        return self._one(User, self._transport.send("POST", f"{_user(name)}/reset", repeatable=False))

    # ── teams ────────────────────────────────────────────────────────────────────────────────────────────────

    def teams(self) -> Iterator[Team]:
        """The teams that one is in; for administrators all."""
        return self._all(Team, f"{_API}/teams", {})

    def make_team(self, name: str) -> Team:
        """Make a team, for administrators."""
        return self._one(Team, self._transport.send("POST", f"{_API}/teams", json={"name": name}, repeatable=False))

    def delete_team(self, name: str) -> None:
        """Delete a team, for administrators; what was shown to it becomes private."""
        self._transport.send("DELETE", _team(name))

    def join(self, team: str, person: str) -> None:
        """Let somebody into a team, for administrators."""
        self._transport.send("PUT", f"{_team(team)}/members/{quote(person, safe='')}")

    def leave(self, team: str, person: str) -> None:
        """Let somebody out of a team, for administrators."""
        self._transport.send("DELETE", f"{_team(team)}/members/{quote(person, safe='')}")

    # ── who sees what ────────────────────────────────────────────────────────────────────────────────────────

    def show(self, thing: str, visibility: str, *, team: str | None = None, owner: str | None = None) -> Shown:
        """Say who sees a thing.

        Args:
            thing: `jobs/7`, `datasets/ants` or `models/digits`.
            visibility: `private`, `team` or `public`.
            team: which, where it is a team's.
            owner: whose dataset or model it is; one's own without it.
        """
        kind, _, name = thing.partition("/")
        path = f"{_API}/{kind}/{quote(name, safe='')}/visibility"
        body = present({"visibility": visibility, "team": team})
        return self._one(Shown, self._transport.send("PUT", path, params=present({"owner": owner}), json=body))

    def audit(self, *, actor: str | None = None, act: str | None = None) -> Iterator[AuditLine]:
        """Who did what, the newest first, for administrators."""
        return self._all(AuditLine, f"{_API}/audit", present({"actor": actor, "act": act}))


def _user(name: str) -> str:
    return f"{_API}/users/{quote(name, safe='')}"


def _team(name: str) -> str:
    return f"{_API}/teams/{quote(name, safe='')}"
