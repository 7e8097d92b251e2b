"""Shared devices: leases by memory and threads, what jobs ask for, and promises"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OF_DEVICE = "(SELECT {column} FROM devices WHERE devices.id = {table}.device_id)"
_LAST_RANK = 1e15


def upgrade() -> None:
    _add("devices", sa.Column("slots", sa.Integer()), "1")
    _add("devices", sa.Column("taken_bytes", sa.BigInteger()), "0")
    _add("devices", sa.Column("takers", sa.JSON()), "'[]'")
    _add("attempts", sa.Column("memory_bytes", sa.BigInteger()), _of_device("memory_bytes", "attempts"))
    _add("attempts", sa.Column("threads", sa.Integer()), _of_device("threads", "attempts"))
    _add("attempts", sa.Column("share", sa.Float()), "1.0")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("preempted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_attempts_finished_at"), ["finished_at"], unique=False)
    _add("leases", sa.Column("threads", sa.Integer()), _of_device("threads", "leases"))
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_leases_device_id"), type_="unique")
        batch_op.create_index(batch_op.f("ix_leases_device_id"), ["device_id"], unique=False)
    _add("jobs", sa.Column("rank", sa.Float()), str(_LAST_RANK))
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("demand", sa.JSON(none_as_null=True), nullable=True))
        for name in ("cpu_bytes", "gpu_bytes", "outgrown_bytes"):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("threads", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("likeness", sa.String(length=64), nullable=True))
        for name in ("lasts_from_s", "lasts_s", "lasts_until_s"):
            batch_op.add_column(sa.Column(name, sa.Float(), nullable=True))
        for name in ("starts_from", "starts_at", "starts_until"):
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_jobs_likeness"), ["likeness"], unique=False)
        batch_op.drop_index("ix_jobs_queue")
        batch_op.create_index("ix_jobs_queue", ["status", "priority", "rank", "id"], unique=False)
    op.create_table(
        "promises",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_promises_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_promises")),
    )


def downgrade() -> None:
    op.drop_table("promises")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_queue")
        batch_op.create_index("ix_jobs_queue", ["status", "priority", "id"], unique=False)
        batch_op.drop_index(batch_op.f("ix_jobs_likeness"))
        for name in ("starts_until", "starts_at", "starts_from", "lasts_until_s", "lasts_s", "lasts_from_s", "likeness",
                     "threads", "outgrown_bytes", "gpu_bytes", "cpu_bytes", "demand", "rank"):  # fmt: skip
            batch_op.drop_column(name)
    op.execute("DELETE FROM leases")  # several may be on one device; their attempts are tried again
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leases_device_id"))
        batch_op.create_unique_constraint(batch_op.f("uq_leases_device_id"), ["device_id"])
        batch_op.drop_column("threads")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_finished_at"))
        for name in ("preempted_at", "share", "threads", "memory_bytes"):
            batch_op.drop_column(name)
    with op.batch_alter_table("devices", schema=None) as batch_op:
        for name in ("takers", "taken_bytes", "slots"):
            batch_op.drop_column(name)


def _of_device(column: str, table: str) -> str:
    """What the rows that are there had: the whole of their device."""
    return _OF_DEVICE.format(column=column, table=table)


def _add(table: str, column: sa.Column, value: str) -> None:
    """A column that must hold something, filled for the rows that are there."""
    name, type_ = column.name, column.type
    op.add_column(table, column)
    op.execute(f"UPDATE {table} SET {name} = {value}")
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.alter_column(name, existing_type=type_, nullable=False)
