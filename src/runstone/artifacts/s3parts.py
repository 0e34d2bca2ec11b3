"""
Uploads to S3 in parts, each by a URL that is signed for it alone.

What streams through us is obstore's; it cannot sign a part, so this is
botocore's.  Its calls block: they belong into threads.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runstone.artifacts import s3settings
from runstone.artifacts.store import Part, PartUpload
from runstone.errors import (
    Conflict,
    InvalidInput,
    Unavailable,
    Unusable,
    UploadNotFound,
)


if TYPE_CHECKING:
    from botocore.client import BaseClient


EXPIRES_SECONDS = 24 * 3600
"""How long the parts of an upload may take; MLflow's own URLs live an hour."""

_MISTAKES = frozenset(
    {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"}
)
_REFUSALS = frozenset({"AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId"})


class Signer:
    """Begins, signs and ends uploads below a prefix of a bucket."""

    def __init__(self, uri: str, environ: Mapping[str, str]) -> None:
        split = urlsplit(uri)
        self._bucket = split.netloc
        self._prefix = split.path.strip("/")
        self._settings = s3settings.read(environ)
        self._lock = threading.Lock()
        self._made: BaseClient | None = None

    def begin(self, key: str, count: int) -> PartUpload:
        """Begin an upload; return a URL for each part."""
        client, place = self._client(), self._place(key)
        with _told(key):
            upload_id = client.create_multipart_upload(**place)["UploadId"]
            urls = tuple(
                client.generate_presigned_url(
                    "upload_part",
                    Params={**place, "UploadId": upload_id, "PartNumber": number},
                    ExpiresIn=EXPIRES_SECONDS,
                )
                for number in range(1, count + 1)
            )

        return PartUpload(upload_id, urls)

    def finish(self, key: str, upload_id: str, sent: Sequence[Part]) -> None:
        """Let the object appear, made of these parts."""
        parts = [{"PartNumber": part.number, "ETag": part.etag} for part in sent]
        if not parts:
            raise InvalidInput("parts must be named once each, in ascending order")

        place = self._upload(key, upload_id)
        with _told(key):
            self._client().complete_multipart_upload(
                **place,
                MultipartUpload={"Parts": parts},
            )

    def abort(self, key: str, upload_id: str) -> None:
        """Drop an upload and its parts; gone is fine."""
        place = self._upload(key, upload_id)
        with suppress(UploadNotFound), _told(key):
            self._client().abort_multipart_upload(**place)

    def _place(self, key: str) -> dict[str, str]:
        below = f"{self._prefix}/{key}" if self._prefix else key

        return {"Bucket": self._bucket, "Key": below}

    def _upload(self, key: str, upload_id: str) -> dict[str, str]:
        # Without an id the same request would be about the object itself.
        if not upload_id:
            raise UploadNotFound(key)

        return {**self._place(key), "UploadId": upload_id}

    def _client(self) -> "BaseClient":
        # Making one takes 0.2 s, and most servers never need it.
        with self._lock:
            if self._made is None:
                self._made = _connect(self._settings)

            return self._made


def _connect(settings: s3settings.S3Settings) -> "BaseClient":
    try:
        from botocore.config import Config  # noqa: PLC0415  # the `s3` extra
        from botocore.session import get_session  # noqa: PLC0415  # the `s3` extra
    except ImportError as error:
        raise Unusable(
            "Uploads to S3 in parts need the s3 extra: pip install 'runstone[s3]'"
        ) from error

    style = "virtual" if settings.is_virtual else "path"
    try:
        return get_session().create_client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint,
            verify=None if settings.is_tls_checked else False,
            aws_access_key_id=settings.key,
            aws_secret_access_key=settings.secret,
            aws_session_token=settings.token,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": style},
                connect_timeout=5,
                retries={"total_max_attempts": 3},
                # Other makers' servers do not know the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except ValueError as error:
        raise Unusable(f"S3 cannot be used: {error}") from error


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Tell in our words what the bucket says."""
    from botocore.exceptions import (  # noqa: PLC0415  # the `s3` extra
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        ParamValidationError,
    )

    try:
        yield
    except ClientError as error:
        raise _translated(key, error.response.get("Error", {})) from error
    except NoCredentialsError as error:
        raise _refused() from error
    except ParamValidationError as error:
        raise InvalidInput(f"The parts do not make {key!r}: {error}") from error
    except BotoCoreError as error:
        raise Unavailable(f"The object store failed at {key!r}: {error}") from error


def _translated(key: str, said: Mapping[str, object]) -> Exception:
    code, words = str(said.get("Code", "")), str(said.get("Message", ""))[:300]
    if code == "NoSuchUpload":
        return UploadNotFound(key)
    if code == "NoSuchBucket":
        return Unusable("The bucket does not exist; create it first")
    if code in _MISTAKES:
        return InvalidInput(f"The parts do not make {key!r}: {words or code}")
    if code in _REFUSALS:
        return _refused()
    if code == "KeyTooLongError":
        return Conflict(f"{key!r} is too long for the object store")

    return Unavailable(f"The object store failed at {key!r}: {words or code}")


def _refused() -> Unusable:
    return Unusable(
        "The object store refused us; check AWS_ACCESS_KEY_ID, "
        "AWS_SECRET_ACCESS_KEY and the rights of that key on the bucket"
    )
