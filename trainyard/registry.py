"""Registered models from Python: `Client.models`.

version = yard.models.register("digits", job=7)
yard.models.point("digits", "champion", version.number)
yard.models.download("digits@champion")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from records.references import parse_reference
from trainyard.download import download
from trainyard.errors import NotFound
from trainyard.reader import Reader, present
from trainyard.results import FullModel, ModelAlias, ModelVersion, RegisteredModel

_MODELS = "/api/v1/models"


class Registry(Reader):
    """The registered models of a yard, as one person sees them. Others' are named `owner/name`."""

    def list(self, *, mine: bool = False) -> Iterator[RegisteredModel]:
        """Registered models by name; `mine`: only one's own."""
        return self._all(RegisteredModel, _MODELS, present({"mine": mine or None}))

    def get(self, name: str) -> FullModel:
        """A registered model with its versions, aliases and their moves."""
        path, params = _where(name)
        return self._parse(FullModel, self._transport.read(path, params=params))

    def version(self, ref: str) -> ModelVersion:
        """The version that `[owner/]name[@alias|@number]` names: the newest without `@`.

        Raises:
            NotFound: there is none.
        """
        asked = parse_reference(ref)
        model = self.get(ref.partition("@")[0])
        for version in model.versions:  # the newest first
            if asked.alias in version.aliases or asked.number == version.number or not (asked.alias or asked.number):
                return version
        raise NotFound(f"{model.name} has no version that {ref!r} names.", code="not_found", status=404)

    def register(self, name: str, job: int, *, artifact: str | None = None, note: str | None = None) -> ModelVersion:
        """Number a run's result under a name, which is made where there is none.

        Args:
            name: of the registered model.
            job: whose result it is; it must have succeeded.
            artifact: the file that the version stands for; `model.keras` when left out.
            note: a few words.
        """
        body = {"job": job, **present({"artifact": artifact, "note": note})}
        path = f"{_MODELS}/{quote(name, safe='')}/versions"
        return self._one(ModelVersion, self._transport.send("POST", path, json=body, repeatable=False))

    def point(self, name: str, alias: str, version: int, *, etag: str | None = None) -> ModelAlias:
        """Let an alias point at a version.

        Args:
            name: of the registered model.
            alias: such as `champion`.
            version: its number.
            etag: the alias's as one knows it. Left out, it is looked up now: then only a move in between is noticed.

        Raises:
            PreconditionFailed: somebody has moved it since.
        """
        path, params = _where(name, f"aliases/{quote(alias, safe='')}")
        headers = {"If-Match": etag} if etag else self._as_it_is(name, alias)
        sent = self._transport.send("PUT", path, params=params, json={"version": version}, headers=headers)
        return self._one(ModelAlias, sent)

    def drop_alias(self, name: str, alias: str, *, etag: str | None = None) -> None:
        """Take an alias away; the version stays. Arguments as in `point`."""
        path, params = _where(name, f"aliases/{quote(alias, safe='')}")
        headers = {"If-Match": etag} if etag else self._as_it_is(name, alias)
        self._transport.send("DELETE", path, params=params, headers=headers)

    def delete_version(self, name: str, number: int) -> None:
        """Delete a version that no alias points at."""
        path, params = _where(name, f"versions/{number}")
        self._transport.send("DELETE", path, params=params)

    def delete(self, name: str) -> None:
        """Delete a registered model without aliases, with all its versions."""
        path, params = _where(name)
        self._transport.send("DELETE", path, params=params)

    def download(
        self,
        ref: str,
        target: Path | str | None = None,
        *,
        file: str | None = None,
        tell: Callable[[int], None] = lambda done: None,
    ) -> Path:
        """Take a version's file, checked against its SHA-256; an interrupted download is taken up again.

        Args:
            ref: `[owner/]name[@alias|@number]`.
            target: a file, or a folder that is there; without it, the file's name in the present folder.
            file: which of its files; what the version stands for when left out.
            tell: told how many bytes are here, now and then.

        Raises:
            NotFound: there is no such version or file.
        """
        version = self.version(ref)
        wanted = file or version.artifact
        kept = next((one for one in version.files if one.name == wanted), None)
        if kept is None:
            names = ", ".join(one.name for one in version.files)
            raise NotFound(f"{version.ref} has no file {wanted!r}. It has {names}.", code="not_found", status=404)
        path = Path(target) if target is not None else Path()
        path = path / kept.name if path.is_dir() else path
        where = f"{_MODELS}/{version.model}/versions/{version.number}/files/{quote(kept.name, safe='')}"
        download(self._transport, f"{where}?owner={quote(version.owner, safe='')}", kept, path, tell=tell)
        return path

    def _as_it_is(self, name: str, alias: str) -> Mapping[str, str]:
        """The header that says where an alias is now, or that there is none."""
        for one in self.get(name).aliases:
            if one.name == alias:
                return {"If-Match": one.etag}
        return {"If-None-Match": "*"}


def _where(name: str, rest: str = "") -> tuple[str, dict[str, Any]]:
    """The address of a registered model, `[owner/]name`, and the query that says whose."""
    owner, _, own = name.rpartition("/")
    path = f"{_MODELS}/{quote(own, safe='')}"
    return (f"{path}/{rest}" if rest else path), ({"owner": owner} if owner else {})
