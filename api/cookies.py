"""The pages' session cookie: signed with a key that all processes of the yard share, and read only where it came."""

from __future__ import annotations

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from api.yard import the_yard
from records.sessions import LIFETIME
from records.yard import cookie_key

COOKIE = "trainyard"


def register_cookies(app: Flask) -> None:
    """Set up the sessions of this application."""
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
    )
    app.session_interface = YardSessions()


class YardSessions(SecureCookieSessionInterface):
    """Flask's signed cookies with the yard's own key. A request without the cookie costs nothing."""

    def __init__(self) -> None:
        self._key: str | None = None

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session in the request's cookie; a new one without or with a forged or expired cookie."""
        if COOKIE not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Signs with the key in the database, which is asked for once a process."""
        if self._key is None:
            with the_yard(app).database.write() as session:
                self._key = cookie_key(session)
        return URLSafeTimedSerializer(
            self._key,
            salt=self.salt,
            serializer=self.serializer,
            signer_kwargs={"key_derivation": self.key_derivation, "digest_method": self.digest_method},
        )

    def get_cookie_secure(self, app: Flask) -> bool:
        """Only over HTTPS where the log-in came over HTTPS; a yard in a lab may have plain HTTP alone."""
        return request.is_secure
