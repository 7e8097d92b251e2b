"""Estimates and measured peaks"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("estimate", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("attempts", sa.Column("peak_bytes", sa.BigInteger(), nullable=True))
    op.add_column("attempts", sa.Column("resident_bytes", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("resident_bytes")
        batch_op.drop_column("peak_bytes")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("estimate")
