"""HTTPS: four endpoints, a limit on what comes in, and a way to leave without a failed request.

::

    serving ──SIGTERM──> lame duck ──some seconds──> closing ──in-flight answered──> gone
                         not ready,                  no new
                         "Connection: close"         connections
"""

import logging
import socket
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

import msgspec
import uvicorn
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from dayfly_admission import answer, body, deadline
from dayfly_admission.answer import Answer
from dayfly_admission.journal import Journal, Said
from dayfly_admission.metrics import Metrics, WebhookMetrics
from dayfly_admission.own_kinds import OwnKinds
from dayfly_admission.review import Malformed, Review, decode
from dayfly_admission.webhooks import Webhook, Webhooks, let_pass, result, turn_away
from dayfly_core import names
from dayfly_core.reasons import Reason
from dayfly_kube.flags import Address

log = logging.getLogger(__name__)

KEEP_ALIVE = 120
"""Seconds. The API server drops idle connections after 90 and does not repeat a POST that meets a
closing one: so it has to be the one that closes."""

GRACE = 8
"""Seconds for requests in flight once the listener is closed; Kubernetes kills after 30."""


_JSON = (b"content-type", b"application/json")


class Surroundings(msgspec.Struct, frozen=True):
    """What all endpoints have in common."""

    monotonic: Callable[[], float]
    journal: Journal
    leaving: Callable[[], bool]


class Endpoint(msgspec.Struct, frozen=True):
    """One webhook over HTTP; an ASGI app by itself, which spares two wrappers per request."""

    webhook: Webhook
    fallback: Callable[[Review], Answer]
    metrics: WebhookMetrics
    around: Surroundings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST; whatever was sent, the answer is a well-formed AdmissionReview."""
        try:
            data = await body.read(scope, receive)
        except body.TooLarge:
            await _too_large()(scope, receive, send)
        except body.Disconnected:
            return
        else:
            await self._send(await self._reply(scope, data), send)

    async def _send(self, reply: bytes, send: Send) -> None:
        headers = [_JSON, (b"content-length", b"%d" % len(reply))]
        # Asked now, not when the request came: its caller shall use another replica from here on.
        if self.around.leaving():
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    async def _reply(self, scope: Scope, data: bytes) -> bytes:
        began = self.around.monotonic()
        try:
            _require_json(scope)
            review = decode(data)
        except Malformed as error:
            log.debug("no review: %s", error)
            self._note(None, refusal := answer.malformed(error), Reason.MALFORMED, began)
            return answer.encode(refusal)
        given, reason = await self._decide(review, deadline.seconds(scope["query_string"]))
        self._note(review, given, reason, began)
        return answer.encode(given, review.api_version)

    async def _decide(self, review: Review, seconds: float) -> tuple[Answer, str]:
        try:
            return await self.webhook(review, seconds)
        except Exception:  # a fault of ours must not become the user's: see fallback
            log.exception("deciding failed uid=%s", review.uid)
            return self.fallback(review), Reason.INTERNAL_ERROR

    def _note(self, review: Review | None, given: Answer, reason: str, began: float) -> None:
        verdict, seconds = result(given), self.around.monotonic() - began
        self.metrics.count(verdict, reason, seconds)
        if self.around.journal.due(given):
            said = Said(self.metrics.webhook, verdict, reason, seconds)
            self.around.journal.note(review, given, said)


def _require_json(scope: Scope) -> None:
    kind = body.header(scope, b"content-type")
    if kind != b"application/json" and kind.split(b";")[0].strip().lower() != b"application/json":
        raise Malformed("the content type is not application/json")


def _too_large() -> Response:
    # The rest of the body is still on its way: without closing, it would be read as a request.
    return PlainTextResponse(
        f"the body is larger than {body.LIMIT} bytes\n", 413, {"connection": "close"}
    )


def application(
    webhooks: Webhooks, own_kinds: OwnKinds, metrics: Metrics, around: Surroundings
) -> ASGIApp:
    """Route the four webhooks; anything else is 404, any method but POST is 405.

    While ``leaving``, every answer tells its caller to come back on another connection.
    """
    table = (
        (names.STAMP_PATH, webhooks.stamp, let_pass),
        (names.JUDGE_PATH, webhooks.judge, let_pass),
        (names.ENVIRONMENTS_PATH, webhooks.environments, turn_away),
        (names.KINDS_PATH, own_kinds.judge, turn_away),
    )
    endpoints = {
        path: Endpoint(webhook, fallback, metrics.webhook(path[1:]), around)
        for path, webhook, fallback in table
    }
    return _directly(endpoints)


def _directly(endpoints: Mapping[str, Endpoint]) -> ASGIApp:
    """Call an endpoint by its very path; whatever else is asked for goes by way of the router."""
    router = Router(
        [Route(path, endpoint, methods=["POST"]) for path, endpoint in endpoints.items()],
        redirect_slashes=False,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # An API server asks for nothing else: to match patterns for it is a tenth of our time.
        endpoint = endpoints.get(scope["path"]) if scope["method"] == "POST" else None
        await (endpoint or router)(scope, receive, send)

    return app


class HttpsServer(uvicorn.Server):
    """uvicorn that leaves signals to whoever started it."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do nothing: SIGTERM first makes a lame duck, which is not uvicorn's to know."""
        yield


def server(app: ASGIApp, context: ssl.SSLContext) -> HttpsServer:
    """Make the HTTPS server; serve it with the socket of ``listen``."""
    return HttpsServer(
        uvicorn.Config(
            app,
            # Without these pins a missing wheel would cost three times the CPU, and no word of it.
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            ssl_context_factory=lambda _config, _default: context,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
    )


def listen(address: Address) -> socket.socket:
    """Bind; raises OSError with the address in its text."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server(tuple(address), family=family, backlog=2048)
    except OSError as error:
        raise OSError(f"cannot listen on {address}: {error.strerror}") from error
