"""The stores by themselves: the same bytes put by threads of one process, without a server in front."""

import shutil
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from boto3.session import Session
from botocore.config import Config

from bench.rounds import Sample
from opendai.storage import FileStore, SignedLinks

THREADS = 8


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, and who may write to it."""

    endpoint_url: str
    bucket: str
    access_key: str
    secret_key: str


class StoreSide:
    """One of the functions below, run in the process of the load."""

    def __init__(self, loading: Executor, put: Callable[[float], float]) -> None:
        self._loading = loading
        self._put = put

    def run(self, seconds: float) -> Sample:
        return Sample(self._loading.submit(self._put, seconds).result())


def put_files(folder: Path, content: bytes, seconds: float) -> float:
    """Objects a second, put to the file store of opendai."""
    store = FileStore(folder, SignedLinks("http://peer", bytes(32)))
    rate = _put_in_threads(lambda key: store.put(key, content, content_type="image/png"), seconds)
    shutil.rmtree(folder)
    return rate


def put_objects(place: S3Place, content: bytes, seconds: float) -> float:
    """Objects a second, put by boto3 with the settings that opendai gives it."""
    session = Session(
        aws_access_key_id=place.access_key, aws_secret_access_key=place.secret_key, region_name="us-east-1"
    )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        max_pool_connections=THREADS,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = session.client("s3", endpoint_url=place.endpoint_url, config=config)
    rate = _put_in_threads(
        lambda key: client.put_object(Bucket=place.bucket, Key=key, Body=content, ContentType="image/png"),
        seconds,
    )
    client.close()
    return rate


def _put_in_threads(put: Callable[[str], object], seconds: float) -> float:
    started = time.perf_counter()

    def put_again_and_again() -> float:
        count = 0
        while time.perf_counter() - started < seconds:
            name = str(uuid.uuid4())
            put(f"screenshots/{name[:2]}/{name}.png")
            count += 1
        return count / (time.perf_counter() - started)

    with ThreadPoolExecutor(THREADS) as threads:
        return sum(each.result() for each in [threads.submit(put_again_and_again) for _ in range(THREADS)])
