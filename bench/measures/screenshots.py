"""Screenshots of 200 KB, beside the store that they end in: files, and S3."""

import io
import os
from collections.abc import Iterator
from functools import partial

import msgpack
from PIL import Image
from tests.services import S3Server

from bench.limits import SCREENSHOT_FILE, SCREENSHOT_S3
from bench.load.clients import Asking
from bench.load.connection import request
from bench.measures.sites import CONNECTIONS, bench_site
from bench.peers.stores import S3Place, StoreSide, put_files, put_objects
from bench.results import Ratio
from bench.rounds import Bench, Rounds, Side
from bench.site import Site

_BYTES = 200_000


def measure(bench: Bench) -> Iterator[Ratio]:
    picture = _picture()
    folder = bench.folder / "put_files"
    with bench_site(bench, "screenshots") as site:
        peer = StoreSide(bench.loading, partial(put_files, folder, picture))
        rounds = _beside(bench, "screenshot to files", site, picture, peer)
    yield Ratio("screenshot of 200 KB to files", "put of the file store", SCREENSHOT_FILE, rounds)
    with S3Server() as s3:
        bucket = s3.bucket()
        keys = [(s3.folder / name).read_text(encoding="utf-8") for name in ("access_key", "secret_key")]
        place = S3Place(s3.endpoint_url, bucket, *keys)
        with bench_site(bench, "screenshots_s3", storage_url=s3.storage_url(bucket)) as site:
            peer = StoreSide(bench.loading, partial(put_objects, place, picture))
            rounds = _beside(bench, "screenshot to S3", site, picture, peer)
    yield Ratio("screenshot of 200 KB to S3", "put_object of boto3", SCREENSHOT_S3, rounds)


def _beside(bench: Bench, name: str, site: Site, picture: bytes, peer: Side) -> Rounds:
    body = msgpack.packb({"run_id": site.start_run(site.add_model()), "image": picture, "name": "HomePage"})
    asked = request(
        "POST", "/ai/screenshots", token=site.admin, body=body, content_type="application/msgpack"
    )
    return bench.alternate(name, bench.server_side(site.server, [Asking(asked)] * CONNECTIONS), peer)


def _picture() -> bytes:
    """A picture with this many bytes: noise does not get smaller, and what is missing stands behind its end."""
    written = io.BytesIO()
    Image.frombytes("RGB", (250, 250), os.urandom(250 * 250 * 3)).save(written, "PNG")
    return written.getvalue().ljust(_BYTES, b"\0")
