from pathlib import Path

import pytest

from playground.audit import AuditEvent, AuditLog, ObjectReference, User

LINE = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"1",'
    b'"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/configmaps/b","verb":"delete",'
    b'"user":{"username":"system:serviceaccount:dayfly-system:dayfly-operator","groups":["x"]},'
    b'"sourceIPs":["127.0.0.1"],"userAgent":"dayfly-operator/0.1.0 (dayfly-operator-1)",'
    b'"objectRef":{"resource":"configmaps","namespace":"a","name":"b","apiVersion":"v1"},'
    b'"responseStatus":{"metadata":{},"code":200},"requestObject":{"preconditions":{"uid":"u"}},'
    b'"requestReceivedTimestamp":"2026-11-22T06:36:48.714306Z",'
    b'"stageTimestamp":"2026-11-22T06:36:48.719000Z"}\n'
)


def log_of(directory: Path, content: bytes) -> AuditLog:
    path = directory / "audit.log"
    path.write_bytes(content)
    return AuditLog(path)


def test_says_who_did_what_when_and_the_answer(tmp_path: Path) -> None:
    [event] = log_of(tmp_path, LINE).events()
    assert event.user.username == "system:serviceaccount:dayfly-system:dayfly-operator"
    assert event.user_agent == "dayfly-operator/0.1.0 (dayfly-operator-1)"
    assert (event.verb, event.target, event.code) == ("delete", "configmaps/a/b", 200)
    assert event.request_received_timestamp.isoformat() == "2026-11-22T06:36:48.714306+00:00"
    assert bytes(event.request_object) == b'{"preconditions":{"uid":"u"}}'
    assert event.request_uri == "/api/v1/namespaces/a/configmaps/b"


def test_a_line_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    assert len(list(log_of(tmp_path, LINE + LINE[:40]).events())) == 1


def test_reads_on_from_a_position(tmp_path: Path) -> None:
    log = log_of(tmp_path, LINE)
    position = log.position()
    log.path.write_bytes(LINE * 3)
    assert len(list(log.events(since=position))) == 2


def test_an_absent_log_is_empty(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "none")
    assert (log.position(), list(log.events())) == (0, [])


@pytest.mark.parametrize(
    ("reference", "want"),
    [
        pytest.param(
            ObjectReference(resource="namespaces", namespace="a", name="a"),
            "namespaces/a",
            id="a namespace, which is said to be in itself",
        ),
        pytest.param(
            ObjectReference(resource="nodes", name="pond"), "nodes/pond", id="cluster-scoped"
        ),
        pytest.param(
            ObjectReference(resource="pods", namespace="a"), "pods/a", id="a list in a namespace"
        ),
        pytest.param(ObjectReference(), "", id="no object, such as /version"),
    ],
)
def test_target(tmp_path: Path, reference: ObjectReference, want: str) -> None:
    [any_event] = log_of(tmp_path, LINE).events()
    event = AuditEvent(
        stage="ResponseComplete",
        verb="get",
        user=User(),
        object_ref=reference,
        request_received_timestamp=any_event.request_received_timestamp,
        stage_timestamp=any_event.stage_timestamp,
    )
    assert event.target == want
