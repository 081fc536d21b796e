"""Name the document of a model's version as the code does; what clients read and write keeps its name."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE model_versions RENAME COLUMN modeljson TO document")


def downgrade() -> None:
    op.execute("ALTER TABLE model_versions RENAME COLUMN document TO modeljson")
