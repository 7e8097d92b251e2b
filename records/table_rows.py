"""The rows of tables as lines of JSON: out of one database and into another, SQLite or PostgreSQL, of one schema.

It works on the tables as the database has them, not as the code does: a copy may be older than the code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, MetaData, Table, func, select, text

_AT_ONCE = 1_000
_OWN = "alembic_version"
"""Alembic's own table, which no copy holds: the copy names the revision."""


def tables_of(connection: Connection) -> list[Table]:
    """The tables that the database has, those that others point at first."""
    metadata = MetaData()
    metadata.reflect(connection)
    for table in metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)  # else NULL would become JSON's null
    return [table for table in metadata.sorted_tables if table.name != _OWN]


def read_rows(connection: Connection, table: Table) -> Iterator[str]:
    """A line of JSON for each row, in the order of the primary key."""
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(query).mappings():
        yield json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False) + "\n"


def write_rows(connection: Connection, table: Table, lines: Iterable[str]) -> int:
    """Insert the rows of such lines; how many they were."""
    times = {column.name for column in table.columns if isinstance(column.type, DateTime)}
    count, rows = 0, (_typed(json.loads(line), times) for line in lines)
    while batch := list(islice(rows, _AT_ONCE)):
        connection.execute(table.insert(), batch)
        count += len(batch)
    return count


def last_ids(connection: Connection, tables: Iterable[Table]) -> dict[str, int]:
    """The highest number that each table has given to a row, also to one that has gone since."""
    return {table.name: _last_id(connection, table) for table in tables if _counts(table)}


def go_on_after(connection: Connection, tables: Iterable[Table], last: dict[str, int]) -> None:
    """Let the next row of each table have a higher number than these, so that none comes again."""
    for table in tables:
        if _counts(table) and last.get(table.name):
            _set_last_id(connection, table, last[table.name])


def _counts(table: Table) -> bool:
    """Whether the database numbers the rows."""
    column = table.autoincrement_column
    return column is not None and not column.foreign_keys


def _last_id(connection: Connection, table: Table) -> int:
    column = table.primary_key.columns[0]
    highest = connection.scalar(select(func.max(column))) or 0
    if connection.dialect.name == "sqlite":
        remembered = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :n"), {"n": table.name})
    else:
        sequence = connection.scalar(_SEQUENCE, {"table": table.name, "column": column.name})
        remembered = connection.scalar(text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"))
    return max(int(highest), int(remembered or 0))


def _set_last_id(connection: Connection, table: Table, last: int) -> None:
    if connection.dialect.name == "sqlite":
        values = {"n": table.name, "last": last}
        statement = "UPDATE sqlite_sequence SET seq = :last WHERE name = :n"
        if connection.execute(text(statement), values).rowcount == 0 and _keeps_count(connection, table):
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:n, :last)"), values)
        return
    column = table.primary_key.columns[0].name
    sequence = connection.scalar(_SEQUENCE, {"table": table.name, "column": column})
    connection.execute(text("SELECT setval(CAST(:sequence AS regclass), :last)"), {"sequence": sequence, "last": last})


def _keeps_count(connection: Connection, table: Table) -> bool:
    """Whether SQLite remembers this table's last number (AUTOINCREMENT)."""
    made = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": table.name})
    return "AUTOINCREMENT" in str(made).upper()


_SEQUENCE = text("SELECT pg_get_serial_sequence(:table, :column)")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):  # SQLite forgets the zone; the yard writes UTC
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    return value


def _typed(row: dict[str, Any], times: set[str]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in times and value is not None else value
        for name, value in row.items()
    }
