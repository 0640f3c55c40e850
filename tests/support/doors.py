"""Other ways to the same control plane: a second API server, and its IPv6 address."""

import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import yaml

from playground import ControlPlane, components, ports


@contextmanager
def second_api_server(plane: ControlPlane) -> Generator[str]:
    """Yield the URL of another kube-apiserver on the same etcd, as clusters have several."""
    (port,) = ports.free(1)
    layout = replace(plane.layout, ports=replace(plane.layout.ports, server=port))
    spec = components.api_server(layout)
    log = f"--audit-log-path={plane.layout.audit_log}"
    argv = [word.replace(log, f"{log}-2") for word in spec.argv]
    spec = msgspec.structs.replace(spec, name="second-kube-apiserver", argv=tuple(argv))
    (process,) = plane.roster.launch(spec)
    try:
        process.wait_ready(60)
        yield layout.server
    finally:
        process.stop()
        plane.roster.processes.remove(process)


@contextmanager
def over_ipv6(plane: ControlPlane) -> Generator[int]:
    """Listen on a port of ``[::1]`` and hand everything on to the API server."""
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    target = ("127.0.0.1", plane.layout.ports.server)
    with closing(listener):
        threading.Thread(target=_accept, args=(listener, target), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, target: tuple[str, int]) -> None:
    with suppress(OSError):  # closed: the test is over
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(target)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_pipe, args=(source, sink), daemon=True).start()


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with source, suppress(OSError):  # either side has gone
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def elsewhere(kubeconfig: Path, server: str, server_name: str) -> Path:
    """Copy a kubeconfig for another address, at which the server shows a name's certificate."""
    document = yaml.safe_load(kubeconfig.read_text())
    document["clusters"][0]["cluster"] |= {"server": server, "tls-server-name": server_name}
    copy = kubeconfig.with_name(f"{kubeconfig.stem}-elsewhere.yaml")
    copy.write_text(yaml.safe_dump(document))
    return copy
