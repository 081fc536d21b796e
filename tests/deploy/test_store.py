"""The store of docker-compose.yml, started by the command that stands there."""

import sysconfig
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from opendai.storage import open_store
from opendai.storage.s3 import S3Store
from tests.deploy.deployment import services
from tests.services import S3Server, free_ports

pytestmark = pytest.mark.slow


class ComposedStore(S3Server):
    """SeaweedFS by the compose file's command; behind it come ports of this machine, on loopback alone."""

    def _start(self) -> None:
        self.ports = free_ports(5)
        self.endpoint_url = f"http://127.0.0.1:{self.ports[4]}"
        self._write_identity()
        (self.folder / "data").mkdir()
        command = [
            word.replace("=/data", f"={self.folder}/data").replace("/run/secrets", str(self.folder))
            for word in services()["storage"]["command"]
        ]
        names = ("master.port", "volume.port", "filer.port", "admin.port", "s3.port")
        places = [f"-{name}={port}" for name, port in zip(names, self.ports, strict=True)]
        weed = str(Path(sysconfig.get_path("scripts")) / "weed")
        self._run([weed, *command, "-ip.bind=127.0.0.1", *places], self._is_ready)


@pytest.fixture(scope="module")
def composed_store() -> Iterator[ComposedStore]:
    with ComposedStore() as server:
        yield server


def test_server_makes_its_bucket_and_uses_it(composed_store: ComposedStore) -> None:
    address = composed_store.storage_url(composed_store.bucket())
    store = open_store(address, public_url="http://opendai.test", signing_key=bytes(32))
    assert isinstance(store, S3Store)
    with closing(store):
        store.prepare()
        store.put("picture", b"png", content_type="image/png")
        assert store.get("picture") == b"png"


def test_nobody_gets_in_without_the_keys(composed_store: ComposedStore) -> None:
    address = composed_store.endpoint_url
    assert httpx.get(f"{address}/", trust_env=False).status_code == 403
    assert httpx.put(f"{address}/another", trust_env=False).status_code == 403
