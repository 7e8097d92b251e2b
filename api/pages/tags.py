"""Tags of pages: a page that is asked for every few seconds costs next to nothing while it stays the same."""

from __future__ import annotations

from flask import Response, request


def tag_page(reply: Response) -> Response:
    """Tag an HTML page by its bytes, and answer 304 where the browser has it. Times in pages are absolute for this."""
    if request.method == "GET" and reply.status_code == 200 and reply.mimetype == "text/html":
        reply.headers.setdefault("Cache-Control", "private, no-cache")
        reply.add_etag()
        reply.make_conditional(request)
    return reply
