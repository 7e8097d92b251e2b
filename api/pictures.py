"""Pictures in a request, decoded and written anew in a locked-down process before anything is kept of them."""

from __future__ import annotations

from typing import Any

from api.images import ReceivedImage
from api.routes import PREFIX
from api.shapes import time_shape
from api.yard import the_yard
from ml.intake.decoder_process import DECODER, DecoderProcess
from ml.intake.refusals import FileProblem
from records.errors import FieldProblem, UnreadableImages
from records.intake import IntakeLimits
from records.picture_tables import PictureTable
from records.pictures import NewPicture

LONGEST_PX = 8_192
"""Pictures are shrunk to this longer side, which is the largest that a style transfer paints."""
MOST_AT_ONCE = 20
"""More than one style transfer can name."""
_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""What the decoder writes, by its first bytes."""


def rewrite_pictures(images: list[ReceivedImage]) -> list[NewPicture]:
    """Store each picture as the yard writes it: PNG or JPEG, upright, without metadata. All of them, or none.

    Raises:
        UnreadableImages: some are no pictures that are taken, or too large or small; each is named.
        TooManyUploads: this process decodes as many as it may.
    """
    yard = the_yard()
    limits = IntakeLimits(processes=1, largest_image_pixels=yard.settings.picture_pixels)
    release = yard.receiving.take()
    decoder = DecoderProcess(limits, DECODER)
    try:
        made = _rewrite_all(decoder, images)
    finally:
        decoder.close()
        release()
    return [_store(name, facts, content) for name, facts, content in made]


def picture_shape(row: PictureTable) -> dict[str, Any]:
    """A `views.Picture`."""
    return {
        "id": row.id,
        "name": row.name,
        "width": row.width,
        "height": row.height,
        "media_type": row.media_type,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "created_at": time_shape(row.created_at),
        "address": f"{PREFIX}/pictures/{row.id}/file",
    }


_Made = tuple[str, dict[str, Any], bytes]


def _rewrite_all(decoder: DecoderProcess, images: list[ReceivedImage]) -> list[_Made]:
    made: list[_Made] = []
    problems: list[FieldProblem] = []
    for image in images:
        try:
            facts, content = decoder.ask("rewrite", image.bytes.read(), longest_px=LONGEST_PX)
            made.append((image.name, facts, content))
        except FileProblem as problem:
            problems.append(FieldProblem(image.name, problem.text))
    if problems:
        raise UnreadableImages(problems)
    return made


def _store(name: str, facts: dict[str, Any], content: bytes) -> NewPicture:
    blob = the_yard().blobs.put_bytes(content)
    width, height = facts["stored_size"]
    media_type = next(kind for start, kind in _TYPES.items() if content.startswith(start))
    return NewPicture(name, blob.sha256, blob.size_bytes, media_type, width, height)
