"""Sending single pictures for jobs that take some."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from trainyard.errors import UnexpectedReply
from trainyard.results import Picture
from trainyard.transport import Transport, decode


def upload_picture(transport: Transport, file: Path | str) -> Picture:
    """Send one picture.

    Args:
        transport: to the yard.
        file: JPEG, PNG, WebP, BMP, TIFF or GIF.

    Raises:
        InvalidRequest: it is no picture that the yard takes; the text names the file.
    """
    path = Path(file)
    files = [("images", (path.name, path.read_bytes()))]
    reply = decode(transport.send("POST", "/api/v1/pictures", files=files))
    try:
        return Picture.model_validate(reply["items"][0])
    except (ValidationError, LookupError, TypeError) as error:
        raise UnexpectedReply(f"The yard answered in another shape than a picture's: {error}.") from error
