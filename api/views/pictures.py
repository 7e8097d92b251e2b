"""Single pictures that people upload for jobs."""

from __future__ import annotations

from datetime import datetime

from api.views.base import View


class Picture(View):
    """An uploaded picture, decoded and written anew by the yard: upright, in 8 bits, without what stood beside it."""

    id: int
    """What a spec names it by."""
    name: str
    """As it was sent."""
    width: int
    height: int
    media_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    address: str
    """Where its bytes are."""
