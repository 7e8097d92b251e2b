"""One transaction for a request that only reads: finding out who asks and what is shown stand in the same one.

Opening a session and a transaction takes longer than most questions to the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from flask import Flask, g, request

from api.routes import PREFIX
from api.yard import the_yard

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading: the request's own where it asks the API and changes nothing, else a new one.

    A request that writes opens a transaction for that, and a page opens its own. Were a second connection taken while
    a request holds this one, as many requests as there are connections would wait for each other.
    """
    if request.method in SAFE_METHODS and request.path.startswith(PREFIX):
        yield _session_of_request()
    else:
        with the_yard().database.read() as session:
            yield session


def register_transactions(app: Flask) -> None:
    """Close each request's session when its reply is made, before the reply's body is sent: streams hold none."""
    app.teardown_request(_close)


def _session_of_request() -> Session:
    if "reading" not in g:
        g.reading = ExitStack()
        g.session = g.reading.enter_context(the_yard().database.read())
    session: Session = g.session
    return session


def _close(_error: BaseException | None) -> None:
    opened: ExitStack | None = g.pop("reading", None)
    if opened is not None:
        opened.close()
