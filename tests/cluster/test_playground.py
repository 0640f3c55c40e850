import subprocess
from pathlib import Path

import pytest

from playground import ControlPlane
from playground.commands import CommandFailedError
from playground.process import eventually

pytestmark = pytest.mark.cluster


def test_the_node_is_ready(plane: ControlPlane) -> None:
    [node] = plane.read("nodes")["items"]
    ready = {c["type"]: c["status"] for c in node["status"]["conditions"]}
    assert ready["Ready"] == "True"


def test_the_server_knows_its_version(plane: ControlPlane) -> None:
    assert '"gitVersion": "v1.36.3"' in plane.kubectl("get", "--raw", "/version")


def test_pods_of_a_deployment_run(plane: ControlPlane, namespace: str) -> None:
    where = ("-n", namespace)
    plane.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=3", *where)
    plane.kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=60s", *where)
    pods = plane.read("pods", *where)["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 3


def test_a_job_completes(plane: ControlPlane, namespace: str) -> None:
    plane.kubectl("create", "job", "once", "--image=busybox", "-n", namespace)
    plane.kubectl("wait", "--for=condition=Complete", "job/once", "--timeout=60s", "-n", namespace)


def test_a_namespace_goes_with_its_content(plane: ControlPlane, namespace: str) -> None:
    plane.kubectl("create", "deployment", "web", "--image=nginx", "-n", namespace)
    plane.kubectl("delete", "namespace", namespace, "--timeout=60s")
    assert not plane.try_kubectl("get", "namespace", namespace).ok


def test_the_audit_log_says_who_did_what(plane: ControlPlane, namespace: str) -> None:
    mark = plane.audit_log.position()
    ann = plane.user("ann", "team-a")
    grant = ("create", "rolebinding", "ann", "--clusterrole=edit", "--user=ann", "-n", namespace)
    plane.kubectl(*grant)
    settings = ("create", "configmap", "settings", "-n", namespace)
    # It takes up new rights after a moment.
    assert eventually(lambda: plane.try_kubectl(*settings, user=ann).ok, 30)
    *refused, seen = [
        e
        for e in plane.audit(since=mark)
        if e.verb == "create" and e.object_ref.resource == "configmaps"
        if e.user.username == "ann"
    ]
    assert {e.code for e in refused} <= {403}
    assert (seen.target, seen.code) == (f"configmaps/{namespace}/settings", 201)
    assert "team-a" in seen.user.groups
    assert seen.user_agent.startswith("kubectl/")


def test_a_user_may_do_only_what_rbac_says(plane: ControlPlane, namespace: str) -> None:
    ben = plane.user("ben")
    with pytest.raises(CommandFailedError, match='"ben" cannot list'):
        plane.kubectl("get", "configmaps", "-n", namespace, user=ben)


def test_helm_installs_a_chart(plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    (chart / "templates" / "settings.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-chart}\n"
    )
    plane.helm("install", "small", str(chart), "-n", namespace)
    assert "from-chart" in plane.kubectl("get", "configmaps", "-n", namespace, "-o", "name")


def test_secrets_are_for_their_owner_alone(plane: ControlPlane) -> None:
    secret = [*plane.paths.pki.glob("*.key"), *plane.paths.credential("admin").parent.iterdir()]
    assert {path.stat().st_mode & 0o077 for path in secret} == {0}


def test_its_certificates_chain_for_openssl(plane: ControlPlane) -> None:
    pki = plane.paths.pki
    argv = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver"]
    verified = subprocess.run(
        [*argv, "-CAfile", pki / "ca.crt", pki / "server.crt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.stdout.endswith("OK\n"), verified.stderr
