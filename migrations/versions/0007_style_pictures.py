"""Pictures for style transfer"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pictures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_pictures_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pictures")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_pictures_owner_id"), "pictures", ["owner_id"])
    op.create_index(op.f("ix_pictures_sha256"), "pictures", ["sha256"])
    op.create_index(op.f("ix_pictures_created_at"), "pictures", ["created_at"])
    op.create_table(
        "job_pictures",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_pictures_job_id")),
        sa.ForeignKeyConstraint(["picture_id"], ["pictures.id"], name=op.f("fk_job_pictures_picture_id")),
        sa.PrimaryKeyConstraint("job_id", "picture_id", name=op.f("pk_job_pictures")),
    )
    op.create_index(op.f("ix_job_pictures_picture_id"), "job_pictures", ["picture_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_job_pictures_picture_id"), "job_pictures")
    op.drop_table("job_pictures")
    op.drop_index(op.f("ix_pictures_created_at"), "pictures")
    op.drop_index(op.f("ix_pictures_sha256"), "pictures")
    op.drop_index(op.f("ix_pictures_owner_id"), "pictures")
    op.drop_table("pictures")
