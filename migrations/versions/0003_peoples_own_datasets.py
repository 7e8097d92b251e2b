"""People's own datasets"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dropped_blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_dropped_blobs")),
    )
    op.create_table(
        "image_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_image_sets_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_sets")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_image_sets_owner_id")),
    )
    with op.batch_alter_table("image_sets", schema=None) as batch_op:
        batch_op.create_index("ix_image_sets_name", ["name", "id"], unique=False)

    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("expected_sha256", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_uploads_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_uploads_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_uploads_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_uploads_touched_at"), ["touched_at"], unique=False)

    op.create_table(
        "image_set_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason_code", sa.String(length=50), nullable=True),
        sa.Column("reason_text", sa.Text(), nullable=True),
        sa.Column("parent_number", sa.Integer(), nullable=True),
        sa.Column("upload_id", sa.String(length=32), nullable=True),
        sa.Column("folder", sa.Text(), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Integer(), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("task", sa.String(length=20), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=False),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_image_set_versions_created_by_id")),
        sa.ForeignKeyConstraint(["set_id"], ["image_sets.id"], name=op.f("fk_image_set_versions_set_id")),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_image_set_versions_upload_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name=op.f("fk_image_set_versions_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_set_versions")),
        sa.UniqueConstraint("set_id", "number", name=op.f("uq_image_set_versions_set_id")),
    )
    with op.batch_alter_table("image_set_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_image_set_versions_lease_expires_at"), ["lease_expires_at"], unique=False)
        batch_op.create_index("ix_image_set_versions_status", ["status", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_image_set_versions_upload_id"), ["upload_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_image_set_versions_worker_id"), ["worker_id"], unique=False)

    op.create_table(
        "dataset_keys",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("upload_id", sa.String(length=32), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_dataset_keys_owner_id")),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_dataset_keys_upload_id")),
        sa.ForeignKeyConstraint(["version_id"], ["image_set_versions.id"], name=op.f("fk_dataset_keys_version_id")),
        sa.PrimaryKeyConstraint("owner_id", "key", name=op.f("pk_dataset_keys")),
    )
    with op.batch_alter_table("dataset_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dataset_keys_upload_id"), ["upload_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dataset_keys_version_id"), ["version_id"], unique=False)

    op.create_table(
        "image_set_files",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["image_set_versions.id"], name=op.f("fk_image_set_files_version_id")),
        sa.PrimaryKeyConstraint("version_id", "name", name=op.f("pk_image_set_files")),
    )
    with op.batch_alter_table("image_set_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_image_set_files_sha256"), ["sha256"], unique=False)

    op.create_table(
        "job_datasets",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_datasets_job_id")),
        sa.ForeignKeyConstraint(["version_id"], ["image_set_versions.id"], name=op.f("fk_job_datasets_version_id")),
        sa.PrimaryKeyConstraint("job_id", "version_id", name=op.f("pk_job_datasets")),
    )
    with op.batch_alter_table("job_datasets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_datasets_version_id"), ["version_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("job_datasets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_datasets_version_id"))

    op.drop_table("job_datasets")
    with op.batch_alter_table("image_set_files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_image_set_files_sha256"))

    op.drop_table("image_set_files")
    with op.batch_alter_table("dataset_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dataset_keys_version_id"))
        batch_op.drop_index(batch_op.f("ix_dataset_keys_upload_id"))

    op.drop_table("dataset_keys")
    with op.batch_alter_table("image_set_versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_image_set_versions_worker_id"))
        batch_op.drop_index(batch_op.f("ix_image_set_versions_upload_id"))
        batch_op.drop_index("ix_image_set_versions_status")
        batch_op.drop_index(batch_op.f("ix_image_set_versions_lease_expires_at"))

    op.drop_table("image_set_versions")
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_uploads_touched_at"))
        batch_op.drop_index(batch_op.f("ix_uploads_sha256"))
        batch_op.drop_index(batch_op.f("ix_uploads_owner_id"))

    op.drop_table("uploads")
    with op.batch_alter_table("image_sets", schema=None) as batch_op:
        batch_op.drop_index("ix_image_sets_name")

    op.drop_table("image_sets")
    op.drop_table("dropped_blobs")
