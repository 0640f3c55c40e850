from pathlib import Path

import pytest

from playground import components
from playground.build import Binaries
from playground.layout import Layout, Ports
from playground.process import Rank, Spec

LAYOUT = Layout(Path("/plane"), Binaries(Path("/bin")), Ports(1, 2, 3, 4, 5, 6))


@pytest.mark.parametrize(
    ("spec", "flag"),
    [
        pytest.param(
            components.etcd(LAYOUT, durable=False), "--unsafe-no-fsync=true", id="fast by default"
        ),
        pytest.param(
            components.etcd(LAYOUT, durable=True), "--unsafe-no-fsync=false", id="durable if asked"
        ),
        pytest.param(components.api_server(LAYOUT), "--authorization-mode=RBAC", id="RBAC is on"),
        pytest.param(
            components.api_server(LAYOUT), "--audit-log-path=/plane/audit.log", id="so is the audit"
        ),
        pytest.param(
            components.controller_manager(LAYOUT),
            "--kubeconfig=/plane/kubeconfigs/kube-controller-manager.yaml",
            id="each with its own credential",
        ),
        pytest.param(components.scheduler(LAYOUT), "--secure-port=5", id="each on its own port"),
    ],
)
def test_flags(spec: Spec, flag: str) -> None:
    assert flag in spec.argv


@pytest.mark.parametrize(
    "spec",
    [
        components.api_server(LAYOUT),
        components.controller_manager(LAYOUT),
        components.scheduler(LAYOUT),
    ],
    ids=lambda spec: spec.name,
)
def test_listens_on_loopback_alone(spec: Spec) -> None:
    assert "--bind-address=127.0.0.1" in spec.argv


def test_etcd_is_stopped_last_and_the_server_before_it() -> None:
    ranks = [components.etcd(LAYOUT, durable=False).rank, components.api_server(LAYOUT).rank]
    assert ranks == [Rank.STORE, Rank.SERVER]
    assert components.scheduler(LAYOUT).rank > Rank.SERVER


def test_a_layout_is_read_back_as_it_was(tmp_path: Path) -> None:
    layout = Layout(tmp_path, Binaries(Path("/bin")), Ports(1, 2, 3, 4, 5, 6))
    layout.save()
    assert Layout.load(tmp_path) == layout
