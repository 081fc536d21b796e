"""A small SDK for people's scripts, the demonstration and continuous integration."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx

from opendai_client.connection import Connection, Parameters, answer
from opendai_client.errors import ClientError, ServerUnreachable

JsonObject = dict[str, Any]
_Result = TypeVar("_Result")

_EXECUTIONS = "/execution_service/api/v1/executions"
_LONGEST_PAUSE_SECONDS = 60.0


class Client:
    """The server's API as methods that answer with its JSON. Thread-safe.

    Every method raises ClientError when the server refuses and ServerUnreachable when no answer comes. A call
    that is safe to repeat is tried ``attempts`` times, with a pause that doubles, or as long as the server
    asks.
    ValueError: the address or the certificates cannot be used.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        token_url: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        attempts: int = 5,
        first_pause_seconds: float = 0.5,
        ca_cert_path: str | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = Connection(
            url,
            client_id,
            client_secret,
            token_url=token_url,
            timeout_seconds=timeout_seconds,
            ca_cert_path=ca_cert_path,
            transport=transport,
        )
        self._attempts = attempts
        self._first_pause_seconds = first_pause_seconds
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"Client({self.connection.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    def create_model(self, name: str, group: str, modeljson: str) -> JsonObject:
        """The new model; ``modeljson`` is the text of the document. Status 409: the group has the name."""
        body = {"name": name, "group": group, "modeljson": modeljson}
        return _object(self.connection.send("POST", "/ai/models", json=body))

    def find_model(self, name: str, group: str) -> JsonObject | None:
        """The model of that name in that group, if the caller may see one."""
        models = self._items("/ai/models")
        return next(
            (model for model in models if model.get("name") == name and model.get("group") == group), None
        )

    def test_cases(self, model_uuid: str) -> list[JsonObject]:
        return self._items("/ai/testcases", {"modelid": model_uuid})

    def start_execution(
        self,
        *,
        model_id: str | None = None,
        test_case_id: int | None = None,
        agent: Mapping[str, object] | None = None,
        sut: Mapping[str, object] | None = None,
        asset: Mapping[str, object] | None = None,
        rerun_id: int | None = None,
        step_pause_time: int | None = None,
        execution_type: str = "executing",
        seed: int | None = None,
        generator: str | None = None,
        target_coverage: float | None = None,
        step_limit: int | None = None,
    ) -> JsonObject:
        """The execution, with its ``id``. At least a ``model_id`` (UUID) or a ``rerun_id`` is needed.

        ``agent`` is ``{"agent_id": text, "is_hosted_agent": bool}``, ``sut`` is ``{"sut_id": text}`` or
        ``{"criteria": [tag, ...]}``, ``asset`` is ``{"asset_version_id": text, "asset_path": text}``. Beyond
        the DAI documentation: ``generator`` is "exploratory" or "random", ``target_coverage`` a fraction.
        """
        fields = {
            "model_id": model_id,
            "test_case_id": test_case_id,
            "agent": agent,
            "sut": sut,
            "asset": asset,
            "rerun_id": rerun_id,
            "step_pause_time": step_pause_time,
            "execution_type": execution_type,
            "seed": seed,
            "generator": generator,
            "target_coverage": target_coverage,
            "step_limit": step_limit,
        }
        body = {name: value for name, value in fields.items() if value is not None}
        return _object(self.connection.send("POST", _EXECUTIONS, json=body))

    def execution(self, execution_id: str) -> JsonObject:
        return _object(self._repeated("GET", f"{_EXECUTIONS}/{_segment(execution_id)}"))

    def abort_execution(self, execution_id: str) -> None:
        # A second abort changes nothing, so this call is safe to repeat.
        self._repeated("DELETE", f"{_EXECUTIONS}/{_segment(execution_id)}")

    def run(self, run_id: int) -> JsonObject:
        return _object(self._repeated("GET", f"/ai/runs/{run_id}"))

    def timings(self, run_id: int) -> list[JsonObject]:
        """One object a step: ``order``, ``state``, ``action`` and ``timing`` in seconds."""
        return self._items(f"/ai/runs/{run_id}/timings")

    def run_logs(self, run_id: int) -> list[JsonObject]:
        return self._items(f"/ai/runlogs/{run_id}")

    def screenshots(self, run_id: int) -> list[JsonObject]:
        """The description of each screenshot; its ``artifactid`` identifies the picture itself."""
        return self._items(f"/ai/runs/{run_id}/screenshots")

    def screenshot_image(self, artifact_id: str) -> bytes:
        path = f"/ai/screenshots/{_segment(artifact_id)}"
        return self._persistently(lambda: self.connection.download(path))

    def model_coverage(self, model_id: int | str) -> JsonObject:
        return _object(self._repeated("GET", f"/ai/models/{_segment(str(model_id))}/coverage"))

    def agents(self) -> list[JsonObject]:
        return self._items("/ai/agents")

    def _items(self, path: str, params: Parameters | None = None) -> list[JsonObject]:
        """A list, be it bare or in the envelope ``{"items": [...], "total_count": n}``."""
        response = self._repeated("GET", path, params)
        body = answer(response)
        items = body.get("items") if isinstance(body, dict) else body
        if not isinstance(items, list):
            raise ClientError(response.status_code, f"{path} did not answer with a list.")
        return items

    def _repeated(self, method: str, path: str, params: Parameters | None = None) -> httpx.Response:
        return self._persistently(lambda: self.connection.send(method, path, params=params))

    def _persistently(self, call: Callable[[], _Result]) -> _Result:
        for attempt in range(self._attempts - 1):
            try:
                return call()
            except ServerUnreachable:
                asked = 0.0
            except ClientError as error:
                if not error.is_passing:
                    raise
                asked = error.retry_after_seconds
            pause = max(self._first_pause_seconds * 2**attempt, asked)
            self._sleep(min(pause, _LONGEST_PAUSE_SECONDS))
        return call()


def _object(response: httpx.Response) -> JsonObject:
    body = answer(response)
    if not isinstance(body, dict):
        raise ClientError(response.status_code, f"{response.request.url.path} did not answer with an object.")
    return body


def _segment(text: str) -> str:
    """The text as one segment of a path, whatever is in it."""
    return quote(text, safe="")
