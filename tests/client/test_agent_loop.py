import threading
import time

import httpx
import pytest

from opendai_client.agent.drivers.port import LogLine, Performed, Screenshot, StepInterrupted
from opendai_client.agent.loop import Agent
from opendai_client.client import Client
from opendai_client.errors import ClientError
from tests.client.scripted_server import ScriptedServer
from tests.client.shop import WHOLE_WALK, ScriptedDriver, shop_document


def triples(steps):
    return [(step["state"], step["action"], step["target"]) for step in steps]


def test_an_agent_walks_a_queued_run_and_reports_every_step_once(server, walk):
    run = server.queue_run(shop_document())
    walk(ScriptedDriver())
    assert triples(run.steps()) == WHOLE_WALK
    assert [step["order"] for step in run.steps()] == [1, 2, 3, 4]
    assert [step["phase"] for step in run.steps()] == ["walk", "walk", "walk", "cleanup"]
    assert run.status == "PASSED"
    assert run.ending["last"] == len(run.events[1])
    assert run.ending["reason"] == "every reachable state and action was covered"
    assert server.calls[-1] == "/agent_service/api/v1/agents/disconnect"


def test_an_agent_walks_one_run_after_the_other(server, walk):
    runs = [server.queue_run(shop_document()) for _ in range(3)]
    walk(ScriptedDriver(), max_runs=3)
    assert [run.status for run in runs] == ["PASSED", "PASSED", "PASSED"]
    assert len(set(server.claim_keys)) == 3


def test_a_run_that_is_queued_while_the_agent_waits_is_taken_at_once(server, working):
    with working(ScriptedDriver()):
        server.wait_until(lambda: server.claim_keys)
        run = server.queue_run(shop_document())
        server.wait_until(lambda: run.status == "PASSED", 1.0)


def test_a_directed_run_visits_its_test_case(server, walk):
    run = server.queue_run(shop_document(), kind="directed", test_case='State "Results"')
    walk(ScriptedDriver())
    assert triples(run.steps()) == [WHOLE_WALK[0], WHOLE_WALK[1], WHOLE_WALK[3]]
    assert run.status == "PASSED"


def test_a_goal_out_of_reach_is_an_error_that_names_it(server, walk):
    run = server.queue_run(shop_document(), kind="directed", test_case='State "Exit"')
    walk(ScriptedDriver())
    assert run.status == "ERROR"
    assert run.ending["unreachable"] == ['State "Exit"']
    assert run.steps() == []


def test_a_failed_step_goes_through_exception_and_cleanup_to_failed(server, walk):
    run = server.queue_run(shop_document())
    walk(
        ScriptedDriver(lambda step: Performed(False, 0.5, "no results") if step.action == "Search" else None)
    )
    assert triples(run.steps()) == [
        *WHOLE_WALK[:2],
        ("Error", "Save the page", "Error"),
        ("Cleanup", "Close", "Cleanup"),
    ]
    assert [step["passed"] for step in run.steps()] == [True, False, True, True]
    assert run.steps()[1]["message"] == "no results"
    assert (run.ending["failed_state"], run.ending["failed_action"]) == ("Home", "Search")
    assert run.status == "FAILED"
    assert [log["step"] for log in run.logs() if log["message"] == "no results"] == [2]


def test_logs_and_screenshots_of_a_step_name_the_step(server, walk):
    run = server.queue_run(shop_document())
    picture = Screenshot(b"png", "image/png", name="Home", state="Home", action="Open", suite="Shop.suite")
    told = Performed(True, 0.1, logs=(LogLine("hello", "DEBUG", stage="setup"),), screenshots=(picture,))
    walk(ScriptedDriver(lambda step: told if step.order == 1 else None))
    ((artifact_id, screenshot),) = run.screenshots.items()
    assert screenshot["image"] == b"png"
    assert (screenshot["run_id"], screenshot["attempt"], screenshot["state"]) == (1, 1, "Home")
    line, pointer = [log for log in run.logs() if log.get("step") == 1]
    assert (line["message"], line["severity"], line["stage"]) == ("hello", "DEBUG", "setup")
    assert (pointer["image_id"], pointer["image_name"]) == (artifact_id, "Home")


def test_a_model_that_does_not_parse_ends_as_error_with_the_reason(server, walk):
    run = server.queue_run('{"elements": 7}')
    walk(ScriptedDriver())
    assert run.status == "ERROR"
    assert "elements" in run.ending["reason"]
    assert [log["severity"] for log in run.logs()] == ["INFO", "ERROR"]


def test_a_plan_of_an_unknown_kind_ends_as_error(server, walk):
    run = server.queue_run(shop_document(), kind="sideways")
    walk(ScriptedDriver())
    assert run.status == "ERROR"
    assert "sideways" in run.ending["reason"]


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_duration_that_is_no_number_ends_as_error(server, walk, seconds):
    run = server.queue_run(shop_document())
    walk(ScriptedDriver(lambda _: Performed(True, seconds)))
    assert run.status == "ERROR"


def test_a_driver_that_raises_ends_as_error_and_is_closed(server, walk):
    run = server.queue_run(shop_document())

    def break_down(step):
        raise OSError("the cable is out")

    driver = ScriptedDriver(break_down)
    walk(driver)
    assert run.status == "ERROR"
    assert run.ending["reason"] == "The walk broke off: OSError: the cable is out"
    assert run.logs()[-1]["severity"] == "ERROR"
    assert driver.closed == 1


def test_a_message_that_no_database_takes_is_cleaned(server, walk):
    run = server.queue_run(shop_document())
    walk(ScriptedDriver(lambda _: Performed(True, 0.1, logs=(LogLine("a\x00b\ud800c\n" + "x" * 5000),))))
    message = next(log["message"] for log in run.logs() if log.get("step") == 1)
    assert message.startswith("a\ufffdb\ufffdc\nxxx")
    assert message.endswith("… (5006 characters)")


def test_many_long_messages_stay_within_the_limit_of_a_body(server, walk):
    run = server.queue_run(shop_document())
    lines = tuple(LogLine("\u5bb6" * 4000) for _ in range(100))
    walk(ScriptedDriver(lambda _: Performed(True, 0.1, logs=lines)))
    assert run.status == "PASSED"
    assert sum("\u5bb6" in log["message"] for log in run.logs()) == 400
    assert server.largest_body <= 1024 * 1024


def test_the_events_before_a_slow_step_are_sent_while_it_lasts(server, working):
    run = server.queue_run(shop_document())
    go_on = threading.Event()
    with working(ScriptedDriver(lambda step: go_on.wait(10) and None if step.order == 2 else None)):
        server.wait_until(lambda: run.events[1], 1.0)
        assert [event["type"] for event in run.events[1]] == ["log", "step"]
        go_on.set()
        server.wait_until(lambda: run.status == "PASSED")


def test_an_aborted_run_ends_as_cancelled_without_another_step(server, working):
    run = server.queue_run(shop_document())

    def take_long(_):
        server.abort(run)
        time.sleep(0.6)

    driver = ScriptedDriver(take_long)
    with working(driver, max_runs=1):
        server.wait_until(lambda: run.status == "CANCELLED")
    assert driver.performed == ["Open"]
    assert run.ending["status"] == "CANCELLED"


def test_an_aborted_run_cleans_up_if_the_model_says_so(server, working):
    run = server.queue_run(shop_document(cleanup_after_abort=True), step_pause_seconds=30.0)
    driver = ScriptedDriver(lambda step: server.abort(run) if step.phase == "walk" else None)
    server.lease_seconds = 1.0
    with working(driver, max_runs=1):
        server.wait_until(lambda: run.status == "CANCELLED")
    assert [(step["order"], step["phase"]) for step in run.steps()] == [(1, "walk"), (2, "cleanup")]


def test_a_driver_may_cut_the_aborted_step_short(server, working):
    run = server.queue_run(shop_document())
    server.lease_seconds = 1.0
    driver = ScriptedDriver()

    def hang(step):
        server.abort(run)
        assert driver.run
        assert driver.run.interruption.wait(10)
        raise StepInterrupted

    driver.behavior = hang
    with working(driver, max_runs=1):
        server.wait_until(lambda: run.status == "CANCELLED", 3.0)
    assert run.steps() == []


def test_steps_are_a_pause_apart(server, walk):
    run = server.queue_run(shop_document(), step_pause_seconds=0.15)
    began = time.monotonic()
    walk(ScriptedDriver())
    assert 0.45 <= time.monotonic() - began < 1.5
    assert len(run.steps()) == 4


def test_an_agent_that_is_told_to_stop_leaves_its_run_to_the_lease(server, working):
    run = server.queue_run(shop_document(), step_pause_seconds=30.0)
    driver = ScriptedDriver()
    with working(driver) as agent:
        server.wait_until(lambda: driver.performed)
        agent.stop.set()
        agent.join(2)
        assert not agent.is_alive()
    assert run.status == "RUNNING"
    assert run.ending == {}
    assert driver.closed == 1
    assert server.calls[-1].endswith("/agents/disconnect")


def test_an_agent_that_waits_for_work_stops_at_once(server, client):
    stop = threading.Event()
    agent = threading.Thread(target=Agent(client, ScriptedDriver(), wait_seconds=3).run_forever, args=[stop])
    agent.start()
    server.wait_until(lambda: server.claim_keys)
    stop.set()
    agent.join(1)
    assert not agent.is_alive()


def test_an_agent_that_is_not_let_in_says_so():
    http = httpx.MockTransport(lambda _: httpx.Response(401, json={"error_description": "Bad credentials."}))
    agent = Agent(Client("http://server", "lab-1", "wrong", transport=http), ScriptedDriver())
    with pytest.raises(ClientError, match="Bad credentials") as caught:
        agent.run_forever(threading.Event())
    assert caught.value.status == 401


def test_the_version_and_the_driver_are_told_to_people():
    server = ScriptedServer()
    seen = []

    def note(request):
        seen.append(request)
        return server._handle(request)

    client = Client("http://server", "lab-1", "s3cret", transport=httpx.MockTransport(note))
    server.queue_run(shop_document())
    Agent(client, ScriptedDriver(), max_runs=1, wait_seconds=1).run_forever(threading.Event())
    registration = next(request for request in seen if request.url.path.endswith("/agents"))
    assert b'"drivers":["scripted"]' in registration.content.replace(b" ", b"")
