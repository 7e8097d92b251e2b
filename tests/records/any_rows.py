"""Rows for every table of a database, whatever its revision: two in each, made from the columns that it has."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Connection, DateTime, Float, Integer, Table, select

from records.table_rows import tables_of

AT = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)


def fill(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Insert two rows into every table; all rows by table, as the database then tells them."""
    for table in tables_of(connection):
        connection.execute(table.insert(), [_row(table, number) for number in (1, 2)])
    return rows_of(connection)


def rows_of(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows by table, times as UTC."""
    return {
        table.name: [
            {name: _same(value) for name, value in row.items()}
            for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        ]
        for table in tables_of(connection)
    }


def digest(table: str, column: str, number: int) -> str:
    """What stands in a column of 64 characters: the SHA-256 of these names."""
    return hashlib.sha256(f"{table}.{column} {number}".encode()).hexdigest()


def _row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: _value(table, column, number) for column in table.columns}


def _value(table: Table, column: Column[Any], number: int) -> Any:
    if column.foreign_keys:
        target = next(iter(column.foreign_keys)).column
        return _value(target.table, target, number)
    if isinstance(column.type, JSON):
        return {"of": f"{table.name} {number}", "list": [1, None, "ü"]}
    if isinstance(column.type, DateTime):
        return AT
    if isinstance(column.type, Float):
        return number / 4
    if isinstance(column.type, BigInteger | Integer):
        return number
    length = getattr(column.type, "length", None)
    if length == 64:
        return digest(table.name, column.name, number)
    return f"{column.name} {number} ü"[: length or 100]


def _same(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return value
