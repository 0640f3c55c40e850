"""The floor: uvicorn reads the body and answers a constant of the size of a real answer, over TLS.

usage: python bench/peers/bare_uvicorn.py PORT CERT KEY
"""

import sys
from typing import Any

import uvicorn

ANSWER = b"{" + b'"x":"' + b"x" * 540 + b'"}'
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(ANSWER)).encode()),
]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read everything, answer the constant."""
    if scope["type"] != "http":
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


if __name__ == "__main__":
    port, certificate, key = sys.argv[1:]
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
        lifespan="off",
        timeout_keep_alive=120,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
