"""Links to the form: a token that says who agrees to what, signed by us (RFC 7519, HS256).

Its content is encrypted: links lie in logs, histories and previews, and the contact's number must not. Its keys are
derived from the encryption key, and from older ones while they are configured, so that links survive a rotation.
Whoever holds a token may agree once; nothing about it is stored before that.
"""

import base64
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import msgspec
from msgspec import Struct

from agentmessage.kernel import encryption
from agentmessage.kernel.encryption import DecryptionError, SecretBox
from agentmessage.kernel.ids import new_id
from agentmessage.optin.model import FormToken

PURPOSE = "consent form links"
CONTENT = "consent form content"
ALGORITHM = "HS256"
MAX_CHARS = 16_384


class Opaque(Struct, frozen=True):
    """The claims of a token as anybody can read them: until when it is good, and an encrypted FormToken."""

    exp: int
    encrypted: str = msgspec.field(name="sealed")


class BadToken(Exception):
    """Not a token of ours: cut, changed, or made up."""


class ExpiredToken(Exception):
    """A token of ours whose time is over."""


class FormSigner:
    """Makes and reads tokens. `keys`: newest first."""

    def __init__(self, keys: Sequence[bytes], *, life: timedelta) -> None:
        self._keys = keys
        self._life = life
        contents = [encryption.derive(key, CONTENT) for key in keys]
        self._secret_box = SecretBox(contents[0], contents[1:])
        self._jws = jwt.PyJWS(algorithms=[ALGORITHM])

    def mint(
        self, *, org_id: UUID, phone_number_id: UUID, contact_number: str, agreement_text: str, now: datetime
    ) -> tuple[str, datetime]:
        """A fresh token, and until when it is good."""
        issued_s = int(now.timestamp())
        expires_s = issued_s + int(self._life.total_seconds())
        token = FormToken(
            str(new_id()), org_id, phone_number_id, contact_number, agreement_text, iat=issued_s, exp=expires_s
        )
        encrypted = self._secret_box.encrypt(zlib.compress(msgspec.json.encode(token)))
        claims = Opaque(expires_s, base64.urlsafe_b64encode(encrypted).rstrip(b"=").decode())
        signed = self._jws.encode(msgspec.json.encode(claims), self._keys[0], ALGORITHM)
        return signed, datetime.fromtimestamp(expires_s, UTC)

    def read(self, text: str, now: datetime) -> FormToken:
        """What a token vouches for. Raises BadToken, ExpiredToken."""
        if len(text) > MAX_CHARS:
            raise BadToken("longer than any of ours")
        payload = self._payload(text)
        try:
            token = msgspec.json.decode(self._opened(payload), type=FormToken)
        except (msgspec.DecodeError, DecryptionError, zlib.error, ValueError) as error:
            raise BadToken("signed by us, but not a form's token") from error
        if token.exp <= now.timestamp():
            raise ExpiredToken
        return token

    def _opened(self, payload: bytes) -> bytes:
        """The content of a token; one of an older release said it in the open, and lives for an hour."""
        try:
            encrypted = msgspec.json.decode(payload, type=Opaque).encrypted
        except msgspec.ValidationError:
            return payload
        raw = base64.urlsafe_b64decode(encrypted + "=" * (-len(encrypted) % 4))
        return zlib.decompress(self._secret_box.decrypt(raw))

    def _payload(self, text: str) -> bytes:
        for key in self._keys:
            try:
                return self._jws.decode(text, key, algorithms=[ALGORITHM])
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, UnicodeError) as error:
                raise BadToken("malformed") from error
        raise BadToken("not signed by us")


def signer(encryption_keys: str, *, life_s: int) -> FormSigner:
    """The signer of an installation, from its encryption keys (base64, newest first, separated by commas)."""
    keys = [encryption.derive(key, PURPOSE) for key in encryption.every_key(encryption_keys)]
    return FormSigner(keys, life=timedelta(seconds=life_s))
