"""A database with any number of runs, made by a few statements that both databases take."""

from sqlalchemy import Connection, text

from opendai.database import Table

GROUPS, MODELS_IN_GROUP, CASES_IN_MODEL = 20, 5, 10
MODELS = GROUPS * MODELS_IN_GROUP
RUNS_IN_EXECUTION = 4

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)"
_MOMENT = "'2026-11-22 09:30:00.000000'"
_EXECUTION = "'00000000-0000-4000-8000-' || substr(CAST(1000000000000 + {} AS TEXT), 2)"
# Half of all runs are of the first group, the others are spread. The unfinished runs are among the newest.
_MODEL = f"(CASE WHEN n % 2 = 0 THEN n / 2 % {MODELS_IN_GROUP} ELSE n / 2 % {MODELS} END + 1)"
_CASE = f"(CASE WHEN n / 3 % 5 < 2 THEN NULL ELSE n / 7 % {CASES_IN_MODEL} END)"
_STATUS = """(CASE
    WHEN n > :count * 0.97 THEN CASE WHEN n % 2 = 0 THEN 'QUEUED' ELSE 'RUNNING' END
    WHEN n % 19 = 0 THEN 'FAILED' WHEN n % 53 = 0 THEN 'ERROR' WHEN n % 101 = 0 THEN 'CANCELLED'
    ELSE 'PASSED' END)"""

_STATEMENTS = [
    f"""INSERT INTO groups (name, created_at) {_NUMBERS}
        SELECT 'Group ' || n, {_MOMENT} FROM numbers WHERE n <= {GROUPS}""",
    f"""INSERT INTO models (uuid, name, group_id, version_number, created_at, updated_at) {_NUMBERS}
        SELECT '00000000-0000-4000-9000-' || substr(CAST(1000000000000 + n AS TEXT), 2),
            'Model ' || (n % {MODELS_IN_GROUP}), (n - 1) / {MODELS_IN_GROUP} + :first_group, 1, {_MOMENT}, {_MOMENT}
        FROM numbers WHERE n <= {MODELS}""",
    f"""INSERT INTO model_versions (model_id, number, document, passed, failed, broken, created_at)
        SELECT id, 1, '', 0, 0, 0, {_MOMENT} FROM models ORDER BY id""",
    f"""INSERT INTO test_cases
            (model_id, name, text, tags, description, origin, external_id, runs, fails, created_at)
        SELECT models.id, 'Case ' || n, '', '', '', '', '', 0, 0, {_MOMENT}
        FROM models, ({_NUMBERS} SELECT n - 1 AS n FROM numbers WHERE n <= {CASES_IN_MODEL}) AS cases
        ORDER BY models.id, n""",
    f"""INSERT INTO executions (id, started_by, created_at, updated_at) {_NUMBERS}
        SELECT {_EXECUTION.format("n - 1")}, 'bench', {_MOMENT}, {_MOMENT}
        FROM numbers WHERE n <= :count / {RUNS_IN_EXECUTION} + 1""",
    f"""INSERT INTO runs (execution_id, model_id, version_id, group_id, model_name, status, reason, generator,
            seed, step_limit, test_case_id, test_case_name, config_step, step_pause_seconds, walker, attempt,
            lease_ends, last_event, is_abort_requested, steps, coverage, created_at, occurred_at)
        {_NUMBERS}
        SELECT execution_id, model, model, (model - 1) / {MODELS_IN_GROUP} + :first_group,
            'Model ' || (model % {MODELS_IN_GROUP}), status, '', 'random', 1, 100,
            (model - 1) * {CASES_IN_MODEL} + test_case + 1, 'Case ' || test_case,
            CASE WHEN n % 4 = 0 THEN n / 4 % 6 END, 0.0, 'server', 1, 1e12, 0, :no, 10, 0.5, {_MOMENT}, {_MOMENT}
        FROM (SELECT n, {_EXECUTION.format(f"n / {RUNS_IN_EXECUTION}")} AS execution_id, {_MODEL} AS model,
            {_CASE} AS test_case, {_STATUS} AS status FROM numbers) AS made""",
    """INSERT INTO run_counts
            (group_id, model_id, model_name, test_case_name, config_step, status, runs)
        SELECT group_id, model_id, model_name, COALESCE(test_case_name, ''), COALESCE(config_step, -1),
            CASE WHEN status IN ('QUEUED', 'RUNNING') THEN 'INCOMPLETE' ELSE status END AS published, COUNT(*)
        FROM runs GROUP BY 1, 2, 3, 4, 5, 6""",
]


def make_history(connection: Connection, runs: int) -> None:
    """Fill an installed database that has no models yet. A million runs take half a minute to a minute."""
    # Building an index at the end sorts once; keeping a dozen of them in step with each row takes minutes.
    indexes = sorted(Table.metadata.tables["runs"].indexes, key=lambda index: str(index.name))
    for index in indexes:
        index.drop(connection)
    first_group = connection.execute(text("SELECT MAX(id) FROM groups")).scalar_one() + 1
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        # Five million look-ups of rows that were made just before; the superuser of a benchmark may leave them out.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    for statement in _STATEMENTS:
        moment = statement.replace(_MOMENT, _MOMENT if is_sqlite else f"TIMESTAMPTZ {_MOMENT}")
        wanted = {"count": runs, "first_group": first_group, "no": False}
        names = {name for name in wanted if f":{name}" in moment}
        connection.execute(text(moment), {name: wanted[name] for name in names})
    for index in indexes:
        index.create(connection)
