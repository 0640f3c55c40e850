"""The floor of a webhook: uvicorn over TLS reads the review, and says yes with a constant patch.

usage: python bench/peers/constant_webhook.py PORT CERT KEY

``/stamp`` patches three keys as Dayfly does, anything else allows. It decides nothing, reads no
policy and looks at the uid alone.
"""

import base64
import re
import sys
from typing import Any

import uvicorn

UID = re.compile(rb'"request":\{"uid":"([0-9a-f-]{36})"')
PATCH = base64.b64encode(
    b'[{"op":"add","path":"/metadata/annotations","value":'
    b'{"peer.example/expires-at":"2126-11-22T10:00:00Z","peer.example/created-by":"somebody"}},'
    b'{"op":"add","path":"/metadata/labels","value":{"peer.example/policy":"peer"}}]'
)
YES = (
    b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview",'
    b'"response":{"uid":"%s","allowed":true%s}}'
)
PATCHED = b',"patchType":"JSONPatch","patch":"' + PATCH + b'"'


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read everything, answer the constant."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    found = UID.search(body)
    answer = YES % (
        found[1] if found else b"",
        PATCHED if scope["path"] == "/stamp" else b"",
    )
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


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
