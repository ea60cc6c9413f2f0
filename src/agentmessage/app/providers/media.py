"""Media as configured: where the bytes lie, and what links to them look like."""

from pathlib import Path

from agentmessage.kernel.encryption import derive, every_key
from agentmessage.media.model import MediaLinks
from agentmessage.media.s3 import Bucket, S3Store
from agentmessage.media.store import LocalStore, ObjectStore
from agentmessage.settings import Settings


def media_links(settings: Settings) -> MediaLinks:
    """Links that every process makes and checks alike. Raises InvalidEncryptionKey."""
    return MediaLinks(
        base_url=(settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/"),
        keys=[derive(key, "media links") for key in every_key(settings.encryption_key)],
        is_enabled=settings.mms_enabled,
    )


def media_store(settings: Settings) -> ObjectStore:
    """A bucket when one is configured, else a directory of this machine."""
    if not settings.media_s3_url:
        return LocalStore(Path(settings.media_dir))
    return S3Store(
        Bucket(
            url=settings.media_s3_url,
            name=settings.media_s3_bucket,
            region=settings.media_s3_region,
            access_key=settings.media_s3_access_key,
            secret_key=settings.media_s3_secret_key,
        )
    )
