"""Who sent a request: a bearer token, or the pages' signed cookie. Members see their own jobs, administrators all.

A cookie holds the id of the token that was used to log in, so that revoking the token ends it. An unsafe method with
a cookie needs the session's CSRF token, in the header `X-CSRF-Token` or the form field `csrf_token`.
"""

from __future__ import annotations

import hmac
import secrets
from typing import cast

from flask import g, request, session

from api.cookies import COOKIE
from api.transactions import SAFE_METHODS, reading
from api.yard import the_yard
from records import accounts
from records.accounts import Person
from records.errors import Forbidden, Unauthorized


def current_person() -> Person | None:
    """Who sent the present request; None when nobody that is known here did."""
    if "person" not in g:
        _identify()
    return cast("Person | None", g.person)


def require_person() -> Person:
    """Who sent the present request.

    Raises:
        Unauthorized: nobody that is known here did.
        Forbidden: it came with a cookie, would change something, and lacks the session's CSRF token.
    """
    person = current_person()
    if person is None:
        raise g.refusal
    if g.by_cookie and request.method not in SAFE_METHODS:
        _check_csrf()
    return person


def require_admin() -> Person:
    """Who sent the present request, if an administrator did.

    Raises:
        Unauthorized: nobody that is known here did.
        Forbidden: a member did.
    """
    person = require_person()
    if not person.is_admin:
        raise Forbidden("Only an administrator may do this.")
    return person


def log_in(token: str) -> Person:
    """Begin a session for whoever holds this token; the reply sets the cookie.

    Raises:
        Unauthorized: the token is not known here.
    """
    yard = the_yard()
    with yard.database.read() as records:
        token_id, person = accounts.identify(records, token.strip(), at=yard.clock())
    session.clear()
    session.permanent = True
    session["token_id"] = token_id
    session["csrf"] = secrets.token_urlsafe(32)
    g.person, g.by_cookie = person, True
    return person


def log_out() -> None:
    """End the session; the reply removes the cookie."""
    session.clear()
    g.person, g.by_cookie, g.refusal = None, False, Unauthorized("Logged out.")


def csrf_token() -> str:
    """The session's CSRF token, for pages to send back; empty without a session."""
    return str(session.get("csrf", ""))


def _identify() -> None:
    g.person, g.by_cookie = None, False
    g.refusal = Unauthorized("No token came. Send `Authorization: Bearer …` with one of this yard.")
    header = request.headers.get("Authorization")
    if header is not None:
        _identify_by_header(header)
    elif COOKIE in request.cookies:
        _identify_by_cookie()


def _identify_by_header(header: str) -> None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        g.refusal = Unauthorized("Expected `Authorization: Bearer …` with a token of this yard.")
        return
    try:
        with reading() as records:
            g.person = accounts.authenticate(records, token.strip(), at=the_yard().clock())
    except Unauthorized as error:
        g.refusal = error


def _identify_by_cookie() -> None:
    token_id = session.get("token_id")
    if not isinstance(token_id, int):
        return
    with reading() as records:
        g.person = accounts.person_of(records, token_id, at=the_yard().clock())
    g.by_cookie = g.person is not None


def _check_csrf() -> None:
    came = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(came.encode(), csrf_token().encode()):
        raise Forbidden("The header X-CSRF-Token is not this session's. Load the page again, then repeat the act.")
