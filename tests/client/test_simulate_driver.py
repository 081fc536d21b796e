import io
import threading
import time

import pytest
from PIL import Image

from opendai.engine import Outcome, Phase, Plan, Step, parse_model, start_walk
from opendai_client.agent.drivers.failures import FailureRule
from opendai_client.agent.drivers.pictures import draw_state
from opendai_client.agent.drivers.port import Run, StepInterrupted
from opendai_client.agent.drivers.simulate import SimulateDriver
from opendai_client.agent.interruption import Interruption
from tests.client.shop import shop_document

SEARCH = Step(2, Phase.WALK, "Home", "Search", "Results")
QUICK = Step(1, Phase.WALK, "Home", "Wait", "Home")


@pytest.fixture
def interruption():
    return Interruption(threading.Event())


@pytest.fixture
def opened(interruption):
    def opened(*rules, seed=7, **options):
        driver = SimulateDriver(failures=tuple(map(FailureRule.parse, rules)), **options)
        model = parse_model(shop_document())
        driver.open(Run(1, 1, "Shop", model, seed, {"asset_path": "/suites/Shop.suite"}, interruption))
        return driver

    return opened


def whole_walk(driver, seed=7):
    walk = start_walk(parse_model(shop_document()), Plan(seed=seed))
    performed = []
    while (step := walk.next_step()) is not None:
        performed.append(driver.perform(step))
        walk.record(Outcome.PASSED if performed[-1].passed else Outcome.FAILED)
    return performed


def outcomes(driver, step=SEARCH, times=10):
    return [driver.perform(step).passed for _ in range(times)]


def test_the_same_seed_brings_the_same_outcomes_durations_and_pictures(opened):
    assert whole_walk(opened("Search%50")) == whole_walk(opened("Search%50"))


def test_another_seed_brings_other_durations(opened):
    assert whole_walk(opened(seed=1)) != whole_walk(opened(seed=2))


def test_a_driver_can_be_opened_for_one_run_after_the_other(opened, interruption):
    driver = opened("Search@2")
    first = outcomes(driver)
    driver.close()
    driver.open(Run(2, 1, "Shop", parse_model(shop_document()), 7, None, interruption))
    assert outcomes(driver) == first


def test_a_driver_that_is_closed_performs_nothing(opened):
    driver = opened()
    driver.close()
    with pytest.raises(RuntimeError, match="not opened"):
        driver.perform(SEARCH)


def test_durations_are_plausible_and_take_no_time(opened):
    began = time.monotonic()
    seconds = [performed.seconds for performed in whole_walk(opened())]
    assert all(0.2 <= each <= 2.4 for each in seconds)
    assert time.monotonic() - began < 1.0


def test_in_real_time_a_step_takes_as_long_as_it_reports(opened):
    driver = opened(realtime=True)
    began = time.monotonic()
    performed = driver.perform(QUICK)
    assert time.monotonic() - began == pytest.approx(performed.seconds, abs=0.3)


def test_in_real_time_a_step_is_cut_short_when_the_run_is_not_wanted_any_more(opened, interruption):
    driver = opened(realtime=True)
    interruption.raise_sign()
    with pytest.raises(StepInterrupted):
        driver.perform(SEARCH)


def test_each_snippet_is_logged(opened):
    logs = [line.message for performed in whole_walk(opened()) for line in performed.logs]
    assert logs == [f"ran Shop.script:{name}" for name in ("Open", "Search", "Back", "Close")]


def test_each_state_is_pictured_once_when_it_is_first_seen(opened):
    performed = whole_walk(opened())
    assert [[shot.state for shot in each.screenshots] for each in performed] == [
        ["Initial", "Home"],
        ["Results"],
        [],
        ["Cleanup"],
    ]
    shot = performed[1].screenshots[0]
    assert (shot.name, shot.action, shot.script, shot.suite) == (
        "Results",
        "Search",
        "Shop.script:1",
        "/suites/Shop.suite",
    )


def test_a_state_that_a_failed_step_did_not_reach_is_not_pictured(opened):
    assert [shot.state for shot in opened("Search").perform(SEARCH).screenshots] == ["Home"]


@pytest.mark.parametrize("rule", ["Search", "Home/Search", "Search%100"])
def test_a_plain_rule_fails_every_time(opened, rule):
    performed = opened(rule).perform(SEARCH)
    assert not performed.passed
    assert "Search" in performed.message
    assert outcomes(opened(rule)) == [False] * 10


@pytest.mark.parametrize("rule", ["Results/Search", "search", "Search%0", "Home/Search@11"])
def test_a_rule_for_something_else_fails_nothing(opened, rule):
    assert outcomes(opened(rule)) == [True] * 10


def test_a_rule_for_one_visit_fails_that_visit_only(opened):
    assert outcomes(opened("Search@2"), times=4) == [True, False, True, True]


def test_every_rule_counts_although_another_one_struck(opened):
    assert outcomes(opened("Search@2", "Home/Search@3"), times=4) == [True, False, False, True]


def test_a_rule_by_chance_fails_about_that_often(opened):
    assert 60 <= outcomes(opened("Search%10"), times=1000).count(False) <= 140


def test_a_rule_that_fits_no_action_of_the_model_is_warned_of(opened, caplog):
    opened("Search", "Serach")
    assert [record.message for record in caplog.records] == [
        "No action of Shop fits the rule for the failure of 'Serach'."
    ]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Pay by card", FailureRule("Pay by card")),
        ("Payment/Pay by card", FailureRule("Pay by card", state="Payment")),
        ("Pay by card@2", FailureRule("Pay by card", on_visit=2)),
        ("Payment/Pay by card%10", FailureRule("Pay by card", state="Payment", probability=0.1)),
        ("mail@home", FailureRule("mail@home")),
        ("100%", FailureRule("100%")),
        ("a@b@3", FailureRule("a@b", on_visit=3)),
        ("bezahlen ä家%2.5", FailureRule("bezahlen ä家", probability=0.025)),
    ],
)
def test_a_rule_is_read(text, rule):
    assert FailureRule.parse(text) == rule


@pytest.mark.parametrize("text", ["", " ", "/Pay", "Payment/", "@2", "%10", "Pay@0", "Pay%101", "Payment/@1"])
def test_what_is_no_rule_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=f"'{text}' "):
        FailureRule.parse(text)


def test_a_slash_may_be_part_of_an_action():
    rule = FailureRule.parse("On/Off")
    assert rule.fits("Lamp", "On/Off")
    assert rule.fits("On", "Off")
    assert not rule.fits("Lamp", "Off")


@pytest.mark.parametrize(
    "state", ["Home", "家のページ", "Größe", "😀\u202e", "a\nb\tc", "x" * 5000, "\x01", " "]
)
def test_a_picture_of_any_state_decodes_and_is_small(state):
    data = draw_state(state, model="Shop é", order=3)
    image = Image.open(io.BytesIO(data))
    image.load()
    assert (image.format, image.size) == ("PNG", (480, 270))
    assert image.info["Title"] == state
    assert len(data) < 20_000


def test_states_have_colours_of_their_own():
    def paper(state):
        return (
            Image.open(io.BytesIO(draw_state(state, model="Shop", order=1)))
            .convert("RGB")
            .getpixel((470, 260))
        )

    assert paper("Home") == paper("Home")
    assert paper("Home") != paper("Results")
