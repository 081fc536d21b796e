"""Faults of the network, of the server and of other agents, one a test."""

import logging
import threading
import time

import pytest

from opendai_client.agent import persistence, reporter
from opendai_client.agent.drivers.port import LogLine, Performed, Screenshot
from opendai_client.agent.interruption import Interruption
from opendai_client.agent.persistence import RunLost, Stopped, insist
from opendai_client.agent.protocol import AgentService
from opendai_client.agent.reporter import Reporter
from opendai_client.errors import ClientError, ServerUnreachable
from tests.client.scripted_server import LOST, REFUSED
from tests.client.shop import WHOLE_WALK, ScriptedDriver, shop_document


def actions(run, attempt=1):
    return [(step["state"], step["action"], step["target"]) for step in run.steps(attempt)]


@pytest.mark.parametrize("fault", [LOST, REFUSED, 429, 500])
@pytest.mark.parametrize("call", ["/agents", "/claims", "/events", "/finish", "/screenshots", "/token"])
def test_a_call_that_fails_twice_is_sent_again_with_one_effect(server, walk, call, fault):
    run = server.queue_run(shop_document())
    server.faults[call].extend([fault, fault])
    picture = Performed(True, 0.1, screenshots=(Screenshot(b"png", "image/png"),))
    walk(ScriptedDriver(lambda step: picture if step.order == 1 else None))
    assert run.status == "PASSED"
    assert run.attempt == 1
    assert actions(run) == WHOLE_WALK
    assert len(run.screenshots) == 1
    assert server.count(call) >= 3


def test_a_lost_claim_is_asked_for_with_the_same_key(server, walk):
    run = server.queue_run(shop_document())
    server.faults["/claims"].extend([LOST, LOST])
    walk(ScriptedDriver())
    assert len(server.claim_keys) == 3
    assert len(set(server.claim_keys)) == 1
    assert (run.status, run.attempt) == ("PASSED", 1)


def test_a_server_that_is_back_within_the_lease_gets_every_event_once(server, working):
    run = server.queue_run(shop_document())
    lines = Performed(True, 0.1, logs=tuple(LogLine(f"line {number}") for number in range(400)))

    def pull_the_plug(step):
        server.is_down = step.order < 3
        return lines

    with working(ScriptedDriver(pull_the_plug)):
        server.wait_until(lambda: server.is_down)
        time.sleep(0.3)
        server.is_down = False
        server.wait_until(lambda: run.status == "PASSED")
    told = [log["message"] for log in run.logs() if log["message"].startswith("line")]
    assert told == [f"line {number}" for number in range(400)] * 4
    assert run.attempt == 1


def test_a_server_that_is_away_for_longer_than_the_lease_lets_the_run_be_walked_again(server, working):
    server.lease_seconds = 0.3
    run = server.queue_run(shop_document())

    def pull_the_plug(step):
        server.is_down = server.is_down or (run.attempt == 1 and step.order == 2)

    with working(ScriptedDriver(pull_the_plug)):
        server.wait_until(lambda: server.is_down)
        time.sleep(0.5)
        server.is_down = False
        server.wait_until(lambda: run.status == "PASSED")
    assert run.attempt == 2
    assert actions(run, 2) == WHOLE_WALK
    assert run.ending["attempt"] == 2


def test_a_run_that_another_agent_has_is_dropped_and_not_touched(server, working):
    run = server.queue_run(shop_document())
    driver = ScriptedDriver()

    def lose_the_lease(step):
        run.attempt, run.lease_until = 2, time.monotonic() + 60

    driver.behavior = lose_the_lease
    with working(driver):
        server.wait_until(lambda: len(server.claim_keys) == 2)
    assert run.status == "RUNNING"
    assert run.events[2] == []
    assert run.ending == {}
    assert driver.closed == 1


def test_a_slow_step_keeps_its_lease(server, working):
    server.lease_seconds = 0.5
    run = server.queue_run(shop_document())
    with working(ScriptedDriver(lambda step: time.sleep(0.9) if step.order == 2 else None)):
        server.wait_until(lambda: run.status == "PASSED")
    assert run.attempt == 1
    assert server.count("/heartbeat") >= 3


def test_a_token_that_ends_is_renewed_in_the_middle_of_a_run(server, walk):
    run = server.queue_run(shop_document())
    walk(ScriptedDriver(lambda _: server.expire_tokens()))
    assert actions(run) == WHOLE_WALK
    assert server.count("/token") >= 2


def test_an_agent_that_the_server_has_forgotten_registers_again(server, working):
    with working(ScriptedDriver()):
        server.wait_until(lambda: server.claim_keys)
        server.is_registered = False
        server.wait_until(lambda: server.is_registered, 4.0)
        run = server.queue_run(shop_document())
        server.wait_until(lambda: run.status == "PASSED")


@pytest.mark.parametrize("call", ["/agents", "/claims"])
def test_an_agent_outlives_a_server_that_is_being_mended(server, working, call, monkeypatch):
    monkeypatch.setattr(persistence, "_LONGEST_PAUSE_SECONDS", 0.02)
    server.faults[call].extend([500] * (persistence._MOST_FAULTS + 1))
    run = server.queue_run(shop_document())
    with working(ScriptedDriver()):
        server.wait_until(lambda: run.status == "PASSED")


def test_an_agent_starts_before_its_server(server, working):
    server.is_down = True
    run = server.queue_run(shop_document())
    with working(ScriptedDriver()):
        server.wait_until(lambda: server.calls)
        server.is_down = False
        server.wait_until(lambda: run.status == "PASSED")


def test_a_report_that_is_refused_for_good_ends_as_error(server, walk):
    run = server.queue_run(shop_document())
    server.faults["/events"].append(422)
    walk(ScriptedDriver())
    assert run.status == "ERROR"
    assert run.ending["reason"] == "The server refused a report: ClientError: scripted 422 (HTTP 422)"
    assert run.ending["last"] == 0


def test_a_screenshot_that_is_refused_costs_a_warning_and_not_the_run(server, walk):
    run = server.queue_run(shop_document())
    server.faults["/screenshots"].append(413)
    picture = Performed(True, 0.1, screenshots=(Screenshot(b"png", "image/png"),))
    walk(ScriptedDriver(lambda step: picture if step.order == 1 else None))
    assert run.status == "PASSED"
    assert [log["message"] for log in run.logs() if log["severity"] == "WARNING"] == [
        "A screenshot was refused: scripted 413 (HTTP 413)"
    ]


def test_a_client_that_is_revoked_ends_the_agent(server, working):
    server.queue_run(shop_document())
    with working(ScriptedDriver(lambda _: server.faults["/"].extend([403] * 99))) as agent:
        agent.join(5)
    assert agent.failure.status == 403


def test_a_reporter_holds_few_events_while_the_server_is_away_and_loses_none(server, client):
    stop = threading.Event()
    run = server.queue_run(shop_document())
    service = AgentService(client.connection)
    service.register(version="1", drivers=[])
    claim = service.claim("key", wait_seconds=1)
    assert claim
    with Reporter(service, claim, Interruption(stop)) as voice:
        server.is_down = True
        told = 0

        def tell():
            nonlocal told
            for number in range(3000):
                voice.add({"type": "log", "message": str(number)})
                told += 1

        teller = threading.Thread(target=tell)
        teller.start()
        time.sleep(0.4)
        assert told <= reporter._MOST_EVENTS
        server.is_down = False
        teller.join(5)
        assert voice.drain() == 3000
    assert [int(event["message"]) for event in run.events[1]] == list(range(3000))


def test_a_server_that_accepts_and_forgets_loses_the_run(server, client):
    server.queue_run(shop_document())
    service = AgentService(client.connection)
    service.register(version="1", drivers=[])
    claim = service.claim("key", wait_seconds=1)
    assert claim
    server._keep_events = server._receipt
    with Reporter(service, claim, Interruption(threading.Event())) as voice:
        voice.add({"type": "log", "message": "hello"})
        with pytest.raises(RunLost, match="holds 0 only"):
            voice.drain()


def test_insisting_gives_up_on_a_fault_of_the_server_that_stays():
    tries = []

    def fail():
        tries.append(1)
        raise ClientError(500, "Internal Server Error")

    with pytest.raises(ClientError):
        insist(fail, wait=lambda _: False)
    assert len(tries) == persistence._MOST_FAULTS


def test_insisting_waits_as_long_as_the_server_asks():
    pauses = []

    def fail():
        raise ClientError(429, "Too many", retry_after_seconds=7)

    def wait(seconds):
        pauses.append(seconds)
        return len(pauses) == 2

    with pytest.raises(Stopped):
        insist(fail, wait=wait)
    assert pauses == [7, 7]


def test_a_server_that_is_away_is_complained_of_once(caplog):
    answers = [ServerUnreachable("gone")] * 20

    def call():
        if answers:
            raise answers.pop()
        return "here"

    with caplog.at_level(logging.INFO):
        assert insist(call, wait=lambda _: False) == "here"
    assert [record.message for record in caplog.records] == [
        "gone Trying again.",
        "The server answers again.",
    ]
