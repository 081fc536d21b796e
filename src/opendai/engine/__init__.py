"""Walks through models of systems under test: pure functions and values, for the server and for agents."""

from opendai.engine.coverage import (
    Coverage,
    CoverageItem,
    Pair,
    RunCoverage,
    coverage_items,
    covered_items,
    measure_coverage,
    possible_count,
    run_coverage,
)
from opendai.engine.feasibility import Feasibility, feasibility
from opendai.engine.formats.dai import ModelError, parse_model
from opendai.engine.model.elements import (
    Action,
    ActionKind,
    Model,
    Snippet,
    State,
    StateKind,
    StoredTestCase,
    Transition,
    build_model,
)
from opendai.engine.naming import Names, outline
from opendai.engine.paths.plan import Plan, Status
from opendai.engine.paths.strategies import CHOSEN_BY_NAME, STRATEGIES, Generator
from opendai.engine.testcases import (
    Goal,
    GoalKind,
    TestCaseError,
    check_goals,
    parse_test_case,
    write_test_case,
)
from opendai.engine.walk import Conclusion, Outcome, Phase, Step, Walk, start_walk

__all__ = [
    "CHOSEN_BY_NAME",
    "STRATEGIES",
    "Action",
    "ActionKind",
    "Conclusion",
    "Coverage",
    "CoverageItem",
    "Feasibility",
    "Generator",
    "Goal",
    "GoalKind",
    "Model",
    "ModelError",
    "Names",
    "Outcome",
    "Pair",
    "Phase",
    "Plan",
    "RunCoverage",
    "Snippet",
    "State",
    "StateKind",
    "Status",
    "Step",
    "StoredTestCase",
    "TestCaseError",
    "Transition",
    "Walk",
    "build_model",
    "check_goals",
    "coverage_items",
    "covered_items",
    "feasibility",
    "measure_coverage",
    "outline",
    "parse_model",
    "parse_test_case",
    "possible_count",
    "run_coverage",
    "start_walk",
    "write_test_case",
]
