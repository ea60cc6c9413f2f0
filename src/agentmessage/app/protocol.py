"""HTTP/1.1 on one connection: uvicorn's protocol, strict about where a request ends, and bounded in all it waits for.

uvicorn serves what its parser lets through. Here a request that has more than one reading is refused, a connection on
which anything was left unread is closed, and what is refused is answered like everything else: enveloped, with a
request id, after the answers that were due before.
"""

import asyncio

import structlog
from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade, HttpRequestParser
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agentmessage.app.framing import METHOD, NEVER_TRAILERS, head_of_ignored_upgrade, origin_form, read_head
from agentmessage.app.single_write import OnePiece, whole_answer
from agentmessage.kernel.errors import ApiError, MalformedRequest, MethodNotAllowed

log = structlog.get_logger("agentmessage.http")

RECEIVE_S = 120.0
"""How long one request may take to arrive: 8 MiB, the largest body, at 70 kB a second."""
MAX_HEAD_BYTES = 64 * 1024
"""Of anything that is not a body: a head, the framing of chunks, trailers."""
MAX_UNANSWERED = 64
"""Requests on one connection that may be sent before the first of them is answered."""
STALL_S = 15.0
"""How long a caller may take nothing of an answer that waits for it."""
LINGER_S = 2.0
"""How long is read, and thrown away, what a caller still sends to an answered request: else it might never see the
answer, because a connection that is closed on unread bytes is reset (RFC 9112, 9.6)."""

METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


class StrictProtocol(HttpToolsProtocol):
    """One connection."""

    _is_deaf = False
    """What still comes is not read: the connection is about to close."""
    _is_head = False
    _is_in_head = False
    _is_receiving = True  # also before the first request: who says nothing has as long as who says it slowly
    _unanswered = 0
    _unframed_bytes = 0
    _body_head = b""
    _last_words: bytes | None = None
    _patience: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _lingering: asyncio.TimerHandle | None = None

    # ── the connection ─────────────────────────────────────────────────────────────────────────────────────────

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # an answer that waits for its reader is noticed, whatever its size
        self._wait_or_rest()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._is_receiving = False
        self._wait_or_rest()
        for timer in (self._stalled, self._lingering):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    @override
    def pause_writing(self) -> None:
        """The reader is slower than we are: from now on it must take something of what waits for it."""
        super().pause_writing()
        self._require_progress(None)

    @override
    def resume_writing(self) -> None:
        """Everything was taken."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _require_progress(self, waited: int | None) -> None:
        """Hang up, without a word, on a reader that has taken nothing since `waited` bytes were waiting."""
        waiting = self.transport.get_write_buffer_size()
        if waited is not None and waiting >= waited:
            self.transport.abort()
            return
        self._stalled = self.loop.call_later(STALL_S, self._require_progress, waiting)

    def _wait_or_rest(self) -> None:
        """One timer for each request that is not whole yet; those that come in one piece never set it."""
        if self._is_receiving and self._patience is None:
            self._patience = self.loop.call_later(RECEIVE_S, self.transport.close)
        elif not self._is_receiving and self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def hang_up(self) -> None:
        """Close after what was written, with an ear for what still comes; nothing of it is read."""
        self._is_deaf = True
        self._is_receiving = False
        self._wait_or_rest()
        self._unset_keepalive_if_required()
        if self._lingering is not None or self.transport.is_closing():
            return
        self.transport.write_eof()
        self.flow.resume_reading()
        self._lingering = self.loop.call_later(LINGER_S, self.transport.close)

    # ── requests ───────────────────────────────────────────────────────────────────────────────────────────────

    @override
    def data_received(self, data: bytes) -> None:
        """Read on, unless the connection is about to close."""
        if self._is_deaf:
            return
        self._unset_keepalive_if_required()
        self._unframed_bytes += len(data)
        read_bytes: int | None = None
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            read_bytes = upgrade.args[0]
        except HttpParserError as error:
            self._refuse(_refusal(error, data))
        if read_bytes is not None:
            self._ignore_upgrade(data[read_bytes:])
        if self._unframed_bytes > MAX_HEAD_BYTES and not self._is_deaf:
            self._refuse(MalformedRequest("the head of the request is too large"))
        if not self._unanswered and not self._is_deaf:
            self._is_receiving = True  # what came was the beginning of a request, be it only a line end
        self._wait_or_rest()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the body, if there is one, as if the request had not asked to switch protocols; then nothing more."""
        head, self._body_head = self._body_head, b""
        if not head:
            self._is_deaf = True
            return
        self.parser = HttpRequestParser(_BodyOnly(self))
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # what is behind the body is not read
        self.parser.feed_data(head)
        self.data_received(rest)

    @override
    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head = self._is_receiving = True
        self._is_head = False
        super().on_message_begin()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is none, whatever it is called."""
        if self._is_in_head:
            self.headers.append((name.lower(), value.strip(b" \t")))
        elif name.lower() in NEVER_TRAILERS:
            raise MalformedRequest(f"{name.decode('latin-1')} must not be a trailer")

    @override
    def on_headers_complete(self) -> None:
        """Hand the request to the application, whose answer leaves in one piece. Raises MalformedRequest."""
        self._is_in_head = False
        version, method = self.parser.get_http_version(), self.parser.get_method()
        self._is_head = method == b"HEAD"
        once = read_head(version, self.headers)
        self.url = origin_form(self.url, method, once.get(b"host"))
        self.expect_100_continue = b"expect" in once and version == "1.1"
        switches = self.parser.should_upgrade()
        if switches:
            self._body_head = head_of_ignored_upgrade(once)
            if self._body_head and (method == b"CONNECT" or not self._asks_for_http_2()):
                self._body_head = b""
                raise MalformedRequest("a request with a body must not ask for an upgrade")
        if self._unanswered >= MAX_UNANSWERED:
            raise MalformedRequest("too many requests at once on one connection")
        super().on_headers_complete()
        self._unanswered += 1
        self.cycle.send = OnePiece(self.cycle, self.hang_up)  # pyright: ignore[reportAttributeAccessIssue]  # a method, bound to another
        if switches:
            self.cycle.keep_alive = False

    def _asks_for_http_2(self) -> bool:
        """Whether every Upgrade asks for h2c, as plain clients do; its request is one of HTTP/1.1 (RFC 7540, 3.2)."""
        return all(value.lower() == b"h2c" for name, value in self.headers if name == b"upgrade")

    @override
    def on_body(self, body: bytes) -> None:
        """A piece of a body, which has a limit of its own (web/asgi.py)."""
        self._unframed_bytes = 0
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        """The request is here, whole; unless its body is still to be read by another parser."""
        if self._body_head:
            return
        self._unframed_bytes = 0
        self._is_receiving = False
        self._wait_or_rest()
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        """An answer was written; a refusal may have waited for it."""
        self._unanswered -= 1
        super().on_response_complete()
        self._say_last_words()

    # ── refusals ───────────────────────────────────────────────────────────────────────────────────────────────

    def _refuse(self, refusal: ApiError) -> None:
        """Answer what cannot be read, once everything before it is answered, and close."""
        self._is_deaf = True
        self._is_receiving = False
        if getattr(self.cycle, "more_body", False) and not self.cycle.response_complete:  # no cycle before a first head
            if self.cycle.response_started:  # half an answer has no good end
                self.transport.close()
                return
            self._forget_request()
        self._last_words = whole_answer(refusal, self.server_state.default_headers, head_only=self._is_head)
        self._say_last_words()

    def _forget_request(self) -> None:
        """The body of the newest request broke: the application is told that its caller has gone."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self._unanswered -= 1
        if self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()

    def _say_last_words(self) -> None:
        if self._last_words is None or self._unanswered or self.transport.is_closing():
            return
        self.transport.write(self._last_words)
        self._last_words = None
        self.hang_up()


class _BodyOnly:
    """What a parser is told to call that is to read one body."""

    def __init__(self, protocol: StrictProtocol) -> None:
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete


def _refusal(error: HttpParserError, data: bytes) -> ApiError:
    """The parser's complaint in our words."""
    cause = error.__context__
    if isinstance(cause, ApiError):
        return cause
    if isinstance(error, HttpParserInvalidMethodError) and METHOD.match(data):
        return MethodNotAllowed(METHODS)
    if cause is not None and not isinstance(cause, HttpParserError):
        log.error("request not parsed", exc_info=cause)
    return MalformedRequest()
