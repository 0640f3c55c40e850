import signal

import pytest

from dayfly_core import names
from playground import ControlPlane, System
from playground.process import eventually

pytestmark = pytest.mark.cluster


def test_every_replica_is_ready_and_one_leads(system: System) -> None:
    replicas = [*system.admissions, *system.operators]
    assert len(replicas) == 5
    assert eventually(lambda: not any(replica.complaint() for replica in replicas), 30)
    assert system.leader() in system.operators


def test_programs_are_their_service_accounts_and_name_themselves(
    plane: ControlPlane, system: System
) -> None:
    seen = {(e.user.username.rpartition(":")[2], e.user_agent) for e in plane.audit()}
    for account, replicas in (
        (names.ADMISSION_ACCOUNT, system.admissions),
        (names.OPERATOR_ACCOUNT, system.operators),
    ):
        agents = {f"{account}/0.1.0 ({replica.name})" for replica in replicas}
        assert agents <= {agent for user, agent in seen if user == account}


def test_our_deployments_have_no_pods(plane: ControlPlane, system: System) -> None:
    assert system.operators
    assert plane.read("pods", "-n", names.SYSTEM_NAMESPACE)["items"] == []


def test_after_the_leader_is_killed_another_leads(system: System) -> None:
    killed = system.leader()
    killed.kill(signal.SIGKILL)
    assert system.leader(other_than=killed) is not killed
    killed.restart()


def test_a_killed_admission_replica_is_passed_over(plane: ControlPlane, system: System) -> None:
    killed = system.admissions[0]
    killed.kill(signal.SIGKILL)
    policy = (
        '{"apiVersion": "dayfly.dev/v1alpha1", "kind": "ExpiryPolicy", "metadata": {"name": "p"},'
        ' "spec": {"match": {"resources": [{"apiGroups": [""], "resources": ["configmaps"]}]}}}'
    )
    # Dayfly's own kinds fail closed: an answer means that a replica gave it.
    for _ in range(5):
        plane.apply(policy, "--dry-run=server")
    killed.restart()
