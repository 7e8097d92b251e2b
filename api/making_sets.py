"""Making a version of a dataset: from a JSON body that names an upload or a folder, or from an archive as the body."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flask import Response, request

from api.asking import Query, read_query
from api.auth import require_person
from api.bodies import read_json
from api.dataset_bodies import NewDataset, NewVersion
from api.idempotent import idempotency_key
from api.receiving import is_streamed
from api.replies import json_reply
from api.trail import note
from api.upload_ends import forget_upload, receive_archive
from api.visible_sets import shown_version
from api.yard import the_yard
from records.dataset_keys import find_made, is_known, remember_made
from records.errors import FieldProblem, Forbidden, InvalidSpec
from records.queue import ring_intake
from records.set_tables import ImageSetTable, SetVersionTable
from records.specs import parse_as

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

B = TypeVar("B", NewDataset, NewVersion)
Q = TypeVar("Q", bound=Query)
_NO_UPLOAD = "0" * 32


def read_asked(
    body: type[B], query: type[Q], of_query: Callable[[Q, str], B], check: Callable[[B], None] = lambda _: None
) -> tuple[B, bytes]:
    """What the present request asks for, and all that an Idempotency-Key of it stands for.

    An archive as the body is received only once everything else about the request is known to be right.

    Args:
        body: the class of a JSON body.
        query: the class of the query beside an archive.
        of_query: makes the body that a query and an upload stand for.
        check: raises for what cannot be made anyway; asked before an archive is received.
    """
    address = f"{request.method} {request.path}?{request.query_string.decode('latin1')} ".encode()
    if not is_streamed():
        raw, value = read_json()
        read_query(Query)
        return parse_as(body, value), address + raw
    beside = read_query(query)
    asked = of_query(beside, _NO_UPLOAD)
    if not _was_sent_before():
        check(asked)
    upload_id, sha256 = receive_archive(getattr(beside, "name", "") or request.path.split("/")[-2])
    return of_query(beside, upload_id), address + sha256.encode()


def make_version(asked: NewDataset | NewVersion, whole: bytes, begin: Callable[[Session], SetVersionTable]) -> Response:
    """The reply that tells of the version that this request makes, or made when it was sent before.

    Args:
        asked: what was asked for.
        whole: all that an Idempotency-Key of the request stands for.
        begin: makes the version, in a writing transaction.
    """
    yard, person, key = the_yard(), require_person(), idempotency_key()
    if asked.folder is not None:
        _check_folder(asked.folder)
    with yard.database.write() as session:
        made = find_made(session, person.id, key, whole) if key else None
        version_id = made.version_id if made else None
        is_new = version_id is None
        if version_id is None:
            version = begin(session)
            version_id = version.id
            name = session.get_one(ImageSetTable, version.set_id).name
            note(session, "dataset.sent", f"dataset {person.name}/{name}@{version.number}")
            if key:
                remember_made(session, person.id, key, whole, at=yard.clock(), version_id=version_id)
    if is_new:
        ring_intake(yard.celery)
    elif is_streamed() and asked.upload is not None:
        forget_upload(asked.upload)  # the same archive came once more
    with yard.database.read() as session:
        shown = shown_version(session, version_id)
    headers = {"Location": shown["address"]} | ({} if is_new else {"Idempotent-Replayed": "true"})
    return json_reply(shown, 202, headers=headers)


def _was_sent_before() -> bool:
    key = idempotency_key()
    with the_yard().database.read() as session:
        return key is not None and is_known(session, require_person().id, key)


def _check_folder(folder: str) -> None:
    """Whether the present person may have this folder read. The worker looks again, at where its links lead.

    Raises:
        Forbidden: only administrators may.
        InvalidSpec: the settings do not allow it.
    """
    if not require_person().is_admin:
        raise Forbidden(
            "Only an administrator may have a folder of a worker's machine read. Upload the images instead."
        )
    allowed = the_yard().settings.dataset_folders
    if not allowed:
        text = "This yard reads no folders. Name those that it may read in its setting TRAINYARD_DATASET_FOLDERS."
        raise InvalidSpec([FieldProblem("folder", text)])
    if os.path.normpath(folder) != folder or not any(Path(folder).is_relative_to(one) for one in allowed):
        listed = ", ".join(map(str, allowed))
        text = f"Expected the plain path of a folder below {listed} (TRAINYARD_DATASET_FOLDERS), got {folder[:200]!r}."
        raise InvalidSpec([FieldProblem("folder", text)])
