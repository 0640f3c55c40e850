import http.server
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from playground import ports
from playground.health import leads


class Replica(http.server.BaseHTTPRequestHandler):
    """Answers /metrics with what it was made with."""

    def __init__(self, page: str, *arguments: object) -> None:
        self.page = page
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write(self.page.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    page: str = request.param
    with http.server.HTTPServer(("127.0.0.1", 0), partial(Replica, page)) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/readyz"
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("url", "want"),
    [
        pytest.param("dayfly_leading 1.0\n", True, id="it leads"),
        pytest.param("dayfly_leading 0.0\n", False, id="it stands by"),
        pytest.param("# HELP dayfly_leading 1.0 while\n", False, id="a comment"),
    ],
    indirect=["url"],
)
def test_who_leads_by_its_own_word(url: str, want: bool) -> None:
    assert leads(url) is want


def test_who_does_not_answer_does_not_lead() -> None:
    [closed] = ports.free(1)
    assert not leads(f"http://127.0.0.1:{closed}/readyz")
