"""Run as a module before the parts start: bring the database to the newest schema and see to an administrator.

A process of its own, so that the supervisor, which lives on, never loads SQL. Reads the environment; prints the
administrator's token when it has just been made, and nothing otherwise.
"""

from __future__ import annotations

import sys

from records.accounts import ensure_admin
from records.clock import utc_now
from records.database import Database
from records.schema import migrate
from records.settings import Settings
from trainyard.home import Home


def prepare(settings: Settings) -> str | None:
    """Migrate, and make the administrator at first start. Writes to the database and the token file.

    Returns:
        The administrator's token when it is new.
    """
    database = Database(settings.database_address)
    try:
        migrate(database)
        with database.write() as session:
            return ensure_admin(session, Home(settings.home).token_file, at=utc_now())
    finally:
        database.close()


if __name__ == "__main__":
    sys.stdout.write(prepare(Settings.from_environment()) or "")
