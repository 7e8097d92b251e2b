"""People's own datasets from Python: the part of `trainyard.client.Client` that sends, watches and looks into them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trainyard.dataset_results import DatasetReport, DatasetVersion
from trainyard.errors import Conflict, NotFound, SourceChanged
from trainyard.folder_tar import ByteSource, FileSource, FolderTar
from trainyard.reader import Reader
from trainyard.results import Dataset, Page
from trainyard.uploading import Tell, upload

_LOOK_S = 0.5
_PATH = "/api/v1/datasets"


class OwnDatasets(Reader):
    """What a client can do with datasets. References are `NAME`, `NAME@NUMBER`, or `OWNER/NAME@NUMBER`."""

    def datasets(self, *, mine: bool = False) -> Page[Dataset]:
        """The datasets that the yard knows: the catalogue's and one's own.

        Args:
            mine: only one's own, without what others show one.
        """
        return Page[Dataset](items=tuple(self._all(Dataset, _PATH, {"mine": True} if mine else {})))

    def dataset(self, ref: str) -> Dataset:
        """A dataset; a number in the reference changes nothing."""
        path, params, _ = _place(ref)
        return self._parse(Dataset, self._transport.read(path, params=params))

    def upload_dataset(
        self,
        source: Path | str,
        name: str,
        *,
        add: bool = False,
        replace: bool = False,
        parent: int | None = None,
        tell: Tell = lambda done, of: None,
        **options: Any,
    ) -> DatasetVersion:
        """Send images and have them checked: the version that is being made of them, which `watch_dataset` follows.

        Args:
            source: a folder, which is sent as a tar made on the way; or an archive.
            name: of the dataset.
            add: make a version of one that is there, with its images and these.
            replace: make a version of one that is there, with these images alone.
            parent: the version to add to, if not the newest.
            tell: told how many bytes are sent, of how many.
            options: as the yard takes them: `task`, `skip_bad`, `splits`, `labels`, `longest_px`, `keep_duplicates`.

        Raises:
            Conflict: there is one of that name, and neither `add` nor `replace` was said; nothing was sent.
            SourceChanged: the source cannot be read, or changed meanwhile.
        """
        is_version = add or replace or parent is not None
        if not is_version:
            self._refuse_taken(name)
        sent = upload(self._transport, read_source(Path(source)), tell=tell)
        extra = {"parent": parent, "replace": replace or None}
        return self.make_dataset(name, upload=sent.id, add=is_version, **_present(extra), **options)

    def make_dataset(self, name: str, *, add: bool = False, **fields: Any) -> DatasetVersion:
        """Have a whole upload checked, or a folder of the worker's machine: the version that is being made.

        Args:
            name: of the dataset.
            add: make a version of one that is there.
            fields: `upload` or `folder`, `parent`, `replace`, and options as `upload_dataset` takes them.
        """
        path, body = (f"{_PATH}/{_quoted(name)}/versions", fields) if add else (_PATH, {"name": name, **fields})
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self._one(DatasetVersion, self._transport.send("POST", path, json=body, headers=headers))

    def dataset_versions(self, ref: str) -> Page[DatasetVersion]:
        """The versions of a dataset, the newest first."""
        path, params, _ = _place(ref)
        return Page[DatasetVersion](items=tuple(self._all(DatasetVersion, f"{path}/versions", params)))

    def dataset_version(self, ref: str) -> DatasetVersion:
        """One version: of the number in the reference, else the newest however it stands.

        Raises:
            NotFound: there is none.
        """
        path, params, number = _place(ref)
        if number is not None:
            return self._parse(DatasetVersion, self._transport.read(f"{path}/versions/{number}", params=params))
        listed = self._transport.read(f"{path}/versions", params={**params, "limit": 1})["items"]
        if not listed:
            raise NotFound(f"{ref} has no version.", code="not_found", status=404)
        return self._parse(DatasetVersion, listed[0])

    def watch_dataset(self, ref: str) -> Iterator[DatasetVersion]:
        """A version whenever it has changed, until it is ready or refused: first as it is now, last as it ended."""
        last = None
        version = self.dataset_version(ref)
        while True:
            if version != last:
                last = version
                yield version
            if version.is_decided:
                return
            time.sleep(_LOOK_S)
            version = self._parse(DatasetVersion, self._transport.read(version.address))

    def dataset_report(self, ref: str) -> DatasetReport:
        """What was found in the upload of a version."""
        version = self.dataset_version(ref)
        return self._parse(DatasetReport, self._transport.read(_address(version, version.report, "report")))

    def save_dataset_sheet(self, ref: str, target: Path | str, *, class_name: str | None = None) -> Path:
        """Save a picture with samples of every class, or of one.

        Raises:
            NotFound: there is no such class, or no picture of it.
        """
        version, path = self.dataset_version(ref), Path(target)
        address = version.sheet if class_name is None else _class_sheet(version, class_name)
        path.write_bytes(self._transport.send("GET", _address(version, address, "sheet")).content)
        return path

    def delete_dataset(self, ref: str) -> None:
        """Delete a dataset with all its versions; with a number in the reference, that version alone.

        Raises:
            Conflict: jobs were trained on it, or another version is being added to it.
        """
        path, params, number = _place(ref)
        where = path if number is None else f"{path}/versions/{number}"
        self._transport.send("DELETE", where, params=params, repeatable=False)

    def _refuse_taken(self, name: str) -> None:
        try:
            found = self.dataset(name)
        except NotFound:
            return
        if found.owner is None or found.status in ("ready", "checking"):
            hint = "C" if found.owner is None else "Add to it (--add), replace its images (--replace), or c"
            raise Conflict(f"There is a dataset {name} already. {hint}hoose another name.", code="conflict", status=409)


def read_source(path: Path) -> ByteSource:
    """A folder or an archive as bytes to send.

    Raises:
        SourceChanged: there is nothing to send.
    """
    if path.is_dir():
        tar = FolderTar(path)
        if not tar.count:
            raise SourceChanged(f"No file lies in {path}.")
        return tar
    if not path.is_file():
        raise SourceChanged(f"There is no folder or archive {path}.")
    return FileSource(path)


def split_reference(ref: str) -> tuple[str | None, str, int | None]:
    """Owner, name and number of a reference, as far as it has them."""
    owner, slash, rest = ref.rpartition("/")
    name, at, number = rest.partition("@")
    return owner if slash else None, name, int(number) if at and number.isdigit() else None


def _place(ref: str) -> tuple[str, dict[str, Any], int | None]:
    """The path of a dataset, the query that says whose it is, and the number of a version."""
    owner, name, number = split_reference(ref)
    return f"{_PATH}/{_quoted(name)}", _present({"owner": owner}), number


def _address(version: DatasetVersion, address: str | None, what: str) -> str:
    if address is None:
        raise NotFound(f"{version.ref} is {version.status}, and has no {what}.", code="not_found", status=404)
    return address


def _class_sheet(version: DatasetVersion, class_name: str) -> str | None:
    if class_name not in version.classes:
        known = ", ".join(version.classes[:20])
        text = f"{version.ref} has no class {class_name!r}. Known: {known}."
        raise NotFound(text, code="not_found", status=404)
    return version.sheets[version.classes.index(class_name)]


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _present(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
