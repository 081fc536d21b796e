"""Name the columns of agents in words; what clients read and write keeps its names."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAMES = {
    "recordpath": "record_path",
    "agenttype": "agent_type",
    "epphost": "epp_host",
    "epptestcontrollerport": "epp_test_controller_port",
    "eppanalyzerport": "epp_analyzer_port",
    "eppworkspacepath": "epp_workspace_path",
}


def upgrade() -> None:
    for old, new in _NAMES.items():
        _rename(old, new)


def downgrade() -> None:
    for old, new in _NAMES.items():
        _rename(new, old)


def _rename(old: str, new: str) -> None:
    # Alembic would rebuild the table on SQLite, which has known this statement for long.
    op.execute(f"ALTER TABLE agents RENAME COLUMN {old} TO {new}")
