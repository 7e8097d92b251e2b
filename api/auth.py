"""Who sent a request: a bearer token, or the pages' signed cookie. What they may see: `records.access`.

A cookie holds the secret of a session, a row that ends with its token or its person. An unsafe method with a cookie
needs the session's CSRF token, in the header `X-CSRF-Token` or the form field `csrf_token`. What a route needs of a
token's scope its `api.openapi.describe` says; else `read` to look and `write` to change.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import current_app, g, request, session

from api.cookies import COOKIE
from api.transactions import SAFE_METHODS, reading
from api.yard import the_yard
from records import accounts
from records.accounts import Person
from records.audit import NOBODY, add_line
from records.errors import Forbidden, ScopeTooSmall, Unauthorized
from records.logins import count_try, find_login, forget_tries
from records.passwords import is_right
from records.scopes import Scope, reaches
from records.sessions import begin_session, end_session, person_of_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

F = TypeVar("F", bound="Callable[..., Any]")
SCOPE = "needs_scope"
"""The attribute of a view that needs another scope than most."""


def current_person() -> Person | None:
    """Who sent the present request; None when nobody that is known here did."""
    if "person" not in g:
        _identify()
    return cast("Person | None", g.person)


def require_person() -> Person:
    """Who sent the present request.

    Raises:
        Unauthorized: nobody that is known here did.
        ScopeTooSmall: their token does not go so far.
        Forbidden: it came with a cookie, would change something, and lacks the session's CSRF token.
    """
    person = current_person()
    if person is None:
        raise g.refusal
    _check_scope(person)
    if g.by_cookie and request.method not in SAFE_METHODS:
        check_csrf()
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
        TooManyLogins: there have been too many tries from this address lately.
    """
    yard = the_yard()
    with yard.database.write() as records:
        count_try(records, "", sender_address(), at=yard.clock())
    try:
        with yard.database.read() as records:
            token_id, person = accounts.identify(records, token.strip(), at=yard.clock())
    except Unauthorized:
        _note_failure("unknown")
        raise
    return _begin(person, token_id, account="")


def log_in_with_password(name: str, password: str) -> Person:
    """Begin a session for the person of this name, if the password is theirs; the reply sets the cookie.

    Raises:
        Unauthorized: it is not, or there is nobody of this name; the text does not say which.
        TooManyLogins: there have been too many tries lately, at this account or from this address.
    """
    check_password(name, password)
    with the_yard().database.read() as records:
        person, _ = find_login(records, name)
    if person is None:
        raise Unauthorized("This name and password do not go together.")
    return _begin(person, None, account=name)


def check_password(name: str, password: str) -> None:
    """Whether this is the password of the person of this name; the try is counted.

    Raises:
        Unauthorized: it is not, or there is nobody of this name; the text does not say which.
        TooManyLogins: there have been too many tries lately, at this account or from this address.
    """
    yard, address = the_yard(), sender_address()
    with yard.database.write() as records:
        count_try(records, name, address, at=yard.clock())
    with yard.database.read() as records:
        person, password_hash = find_login(records, name)
    if not is_right(password_hash, password):
        _note_failure(name if person is not None else "unknown")
        raise Unauthorized("This name and password do not go together.")
    with yard.database.write() as records:
        forget_tries(records, name, address)


def log_out() -> None:
    """End the session, here and in the database; the reply removes the cookie."""
    secret = session_secret()
    if secret is not None:
        with the_yard().database.write() as records:
            end_session(records, secret)
            _note(records, "session.ended", require_person().name, actor=actor())
    session.clear()
    g.person, g.by_cookie, g.refusal = None, False, Unauthorized("Logged out.")


def session_secret() -> str | None:
    """The secret of the session that the present request's cookie holds; None where it came with a token."""
    secret = session.get("secret") if g.get("by_cookie") else None
    return secret if isinstance(secret, str) else None


def sender_address() -> str:
    """Where the present request comes from."""
    return request.remote_addr or ""


def actor() -> str:
    """Who sent the present request, as events and the audit trail name them."""
    person = current_person()
    return NOBODY if person is None else f"user:{person.name}"


def still_known() -> Callable[[Session], Person | None]:
    """Asks, later and with another session, who sent the present request: None once they would not get in any more."""
    yard, secret = the_yard(), session_secret()
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()

    def ask(records: Session) -> Person | None:
        if secret is not None:
            return person_of_session(records, secret, at=yard.clock())
        try:
            return accounts.authenticate(records, token, at=yard.clock())
        except Unauthorized:
            return None

    return ask


def needs(scope: Scope) -> Callable[[F], F]:
    """Say which scope a view needs, where that is not `read` to look and `write` to change."""

    def mark(view: F) -> F:
        vars(view)[SCOPE] = scope
        return view

    return mark


def csrf_token() -> str:
    """The session's CSRF token, for pages to send back; made where there is none yet, as on the log-in page."""
    if not session.get("csrf"):
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def check_csrf() -> None:
    """Whether the present request knows the CSRF token of its session, as another site cannot.

    Raises:
        Forbidden: it does not.
    """
    came = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not came or not hmac.compare_digest(came.encode(), str(session.get("csrf", "")).encode()):
        raise Forbidden("The header X-CSRF-Token is not this session's. Load the page again, then repeat the act.")


def _begin(person: Person, token_id: int | None, *, account: str) -> Person:
    yard = the_yard()
    with yard.database.write() as records:
        forget_tries(records, account, sender_address())
        secret = begin_session(records, person.id, token_id=token_id, at=yard.clock())
        how = "With a password." if token_id is None else f"With token {token_id}."
        _note(records, "session.begun", person.name, actor=f"user:{person.name}", text=how)
    session.clear()
    session.permanent = True
    session["secret"] = secret
    session["csrf"] = secrets.token_urlsafe(32)
    g.person, g.by_cookie = person, True
    return person


def _note_failure(name: str) -> None:
    """Note a login that failed; names that nobody has are left out, as they may be a password in the wrong field."""
    with the_yard().database.write() as records:
        _note(records, "session.refused", name, actor=NOBODY)


def _note(records: Session, act: str, name: str, *, actor: str, text: str = "") -> None:
    at, address = the_yard().clock(), sender_address()
    add_line(records, act, f"user {name}", actor=actor, address=address, text=text, at=at)


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
    secret = session.get("secret")
    if not isinstance(secret, str):
        return
    with reading() as records:
        g.person = person_of_session(records, secret, at=the_yard().clock())
    g.by_cookie = g.person is not None


def _check_scope(person: Person) -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    usual: Scope = "read" if request.method in SAFE_METHODS else "write"
    needed: Scope = getattr(view, SCOPE, usual)
    if not reaches(person.scope, needed):
        raise ScopeTooSmall(f"This needs a token of scope `{needed}`; yours has the scope `{person.scope}`.")
