"""Images in a request: one as the body, or many as files of a form. Nothing here decodes them: a worker does."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from flask import request
from werkzeug.datastructures import FileStorage

from api.taking import taken_here
from records.errors import InvalidRequest, PayloadTooLarge, near_matches, shorten

FORM = "multipart/form-data"
FIELD = "images"
IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/bmp", "image/gif", "image/tiff")
"""What announces a single image. What it is in truth, its bytes tell the worker."""
_LONGEST_NAME = 200
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class ReceivedImage(NamedTuple):
    """An image as it came."""

    name: str
    bytes: BinaryIO


def read_images(*, most: int, most_bytes: int) -> list[ReceivedImage]:
    """The images of the present request; at least one.

    Args:
        most: how many there may be.
        most_bytes: of one.

    Raises:
        InvalidRequest: there is none, or files stand under another name.
        PayloadTooLarge: there are too many, or one has too many bytes.
    """
    images = list(_form_images() if request.mimetype == FORM else _body_image())
    if not images:
        raise InvalidRequest(f"The form holds no file under the name `{FIELD}`. Send at least one image.")
    if len(images) > most:
        raise PayloadTooLarge(f"{len(images)} images came; one request may hold {most}.")
    large = [image.name for image in images if _size(image.bytes) > most_bytes]
    if large:
        raise PayloadTooLarge(f"{', '.join(large[:5])}: an image may have {most_bytes:,} bytes. Shrink it.")
    return images


def _form_images() -> Iterator[ReceivedImage]:
    for field in request.files:
        if field != FIELD:
            raise InvalidRequest(
                f"No file may be called {shorten(repr(field))} in the form. {near_matches(field, [FIELD])}"
            )
    for number, file in enumerate(request.files.getlist(FIELD), 1):
        yield ReceivedImage(_name(file, number), cast("BinaryIO", file.stream))


def _body_image() -> Iterator[ReceivedImage]:
    body, limit = request.get_data(cache=False), taken_here().most_bytes
    if len(body) > limit:  # it came in chunks, so that its length was not known before
        raise PayloadTooLarge(f"The body has more than {limit:,} bytes, which is the most that this address takes.")
    if not body:
        raise InvalidRequest(f"The body is empty. Expected an image, or a form of content type {FORM}.")
    yield ReceivedImage("image", io.BytesIO(body))


def _name(file: FileStorage, number: int) -> str:
    """What its sender calls it, without folders, and without what cannot be shown."""
    last = re.split(r"[/\\]", file.filename or "")[-1]
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", last)[:_LONGEST_NAME] or f"image-{number}"


def _size(file: BinaryIO) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size
