"""The object store for servers that share a bucket: Amazon S3 or a server with its protocol."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from opendai.errors import Unavailable
from opendai.storage.bucket import Bucket
from opendai.storage.port import (
    ObjectMissing,
    check_content_type,
    check_key,
    check_lifetime,
    check_moment,
    check_prefix,
    content_disposition,
    is_key,
)

# Starts with a dot, which no key can, so that it is never taken for an object.
_PROBE_NAME = ".reachable"

# As many as S3 gives at once; what is held in memory while keys are listed.
_KEYS_IN_A_PAGE = 1000


class S3Store:
    """`max_connections` is the number of threads that may talk to the bucket at once."""

    def __init__(self, bucket: Bucket, *, max_connections: int = 20) -> None:
        self._bucket = bucket
        self._start = f"{bucket.prefix}/" if bucket.prefix else ""
        try:
            session = Session(
                aws_access_key_id=bucket.access_key,
                aws_secret_access_key=bucket.secret_key,
                region_name=bucket.region,
            )
            self._region = session.region_name
            self._client = _connect(
                session, bucket, attempts=2, connect=3, read=10, max_connections=max_connections
            )
            # The address is part of what is signed, so links need a client that has theirs.
            public = replace(bucket, endpoint_url=bucket.public_endpoint_url or bucket.endpoint_url)
            self._link_client = _connect(session, public, attempts=1, connect=1, read=1, max_connections=1)
            # Readiness must be known within two seconds, so it neither waits long nor tries again.
            self._probe_client = _connect(session, bucket, attempts=1, connect=1, read=1, max_connections=1)
        except (BotoCoreError, ValueError) as error:
            raise ValueError(f"The bucket {bucket.name} cannot be used: {error}") from error

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        check_content_type(content_type)
        with _unavailable_on_failure():
            self._client.put_object(
                Bucket=self._bucket.name, Key=self._name(key), Body=content, ContentType=content_type
            )

    def get(self, key: str) -> bytes:
        with _unavailable_on_failure():
            try:
                answer = self._client.get_object(Bucket=self._bucket.name, Key=self._name(key))
            except ClientError as error:
                # A bucket that is not there is answered 404 too, but that is our fault and not the key's.
                if _code(error) == "NoSuchKey":
                    raise ObjectMissing(key) from error
                raise
            with answer["Body"] as body:
                content: bytes = body.read()
                return content

    def delete(self, key: str) -> None:
        with _unavailable_on_failure():
            self._client.delete_object(Bucket=self._bucket.name, Key=self._name(key))

    def presigned_url(self, key: str, *, expires_in: int, content_type: str, download_as: str | None) -> str:
        check_lifetime(expires_in)
        check_content_type(content_type)
        parameters = {
            "Bucket": self._bucket.name,
            "Key": self._name(key),
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition(download_as),
        }
        with _unavailable_on_failure():
            url: str = self._link_client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=expires_in, HttpMethod="GET"
            )
            return url

    def is_reachable(self) -> None:
        with _unavailable_on_failure():
            # The one request that fails for each of: no server, no bucket, wrong key, may not write. Without
            # a body, not even an empty one: boto3 would first wait a second for leave to send it.
            self._probe_client.put_object(Bucket=self._bucket.name, Key=self._start + _PROBE_NAME)

    def keys(self, prefix: str = "", older_than: datetime | None = None) -> Iterator[str]:
        check_prefix(prefix)
        check_moment(older_than)
        return self._list(prefix, older_than)

    def prepare(self) -> None:
        """Make the bucket if it is missing. Raises Unavailable also if it is there but belongs to somebody else."""
        with _unavailable_on_failure():
            try:
                self._client.head_bucket(Bucket=self._bucket.name)
            except ClientError as error:
                if _code(error) not in {"404", "NoSuchBucket"}:
                    raise
                self._create_bucket()
                # Another server may have made it in the meantime; the question is only whether we may use it.
                self._client.head_bucket(Bucket=self._bucket.name)

    def close(self) -> None:
        self._client.close()
        self._link_client.close()
        self._probe_client.close()

    def _name(self, key: str) -> str:
        check_key(key)
        return self._start + key

    def _list(self, prefix: str, older_than: datetime | None) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        with _unavailable_on_failure():
            for page in pages.paginate(
                Bucket=self._bucket.name,
                Prefix=self._start + prefix,
                PaginationConfig={"PageSize": _KEYS_IN_A_PAGE},
            ):
                for entry in page.get("Contents", []):
                    key = entry["Key"].removeprefix(self._start)
                    if is_key(key) and (older_than is None or entry["LastModified"] < older_than):
                        yield key

    def _create_bucket(self) -> None:
        # Amazon requires the region here, except for its default region.
        place: dict[str, Any] = {}
        if self._region not in {None, "us-east-1"}:
            place = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        try:
            self._client.create_bucket(Bucket=self._bucket.name, **place)
        except ClientError as error:
            if _code(error) not in {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}:
                raise


# Any: boto3 makes the methods of a client at run time, and their types are a package of their own.
def _connect(
    session: Session, bucket: Bucket, *, attempts: int, connect: float, read: float, max_connections: int
) -> Any:
    # Amazon answers a virtual address in the bucket's own region; most others know their one address only.
    style = bucket.addressing_style or ("path" if bucket.endpoint_url else "virtual")
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": style},
        retries={"total_max_attempts": attempts, "mode": "standard"},
        connect_timeout=connect,
        read_timeout=read,
        max_pool_connections=max_connections,
        # The default adds checksums that not every server takes; TLS and the signature cover the content.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=bucket.endpoint_url, config=config)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def _unavailable_on_failure() -> Iterator[None]:
    """The reason, with its addresses, stays in the chain for the log and out of the answer."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("The object store cannot be used at the moment.") from error
