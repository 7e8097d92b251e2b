"""Memory lessons, and how attempts save memory"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("thrift", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("attempts", sa.Column("thrift", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "memory_lessons",
        sa.Column("training", sa.String(length=64), nullable=False),
        sa.Column("device_kind", sa.String(length=10), nullable=False),
        sa.Column("device_model", sa.String(length=200), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("thrift", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_memory_lessons_job_id")),
        sa.PrimaryKeyConstraint("training", "device_kind", "device_model", name=op.f("pk_memory_lessons")),
    )


def downgrade() -> None:
    op.drop_table("memory_lessons")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("thrift")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("thrift")
