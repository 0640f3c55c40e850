import pytest

from dayfly_cli.reasons import explain
from dayfly_kube.errors import ApiError, Status, Unreachable

SERVER = "https://cluster.example"


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        pytest.param(
            422,
            'admission webhook "judge.dayfly.dev" denied the request: metadata.labels: too long',
            "refused: metadata.labels: too long",
            id="the webhook",
        ),
        pytest.param(
            403,
            "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' "
            "denied request: an earlier end needs the right to delete",
            "refused: an earlier end needs the right to delete",
            id="an admission policy",
        ),
        pytest.param(
            403,
            'deployments.apps "web" is forbidden: User "vi" cannot patch resource "deployments"',
            'deployments.apps "web" is forbidden: User "vi" cannot patch resource "deployments"; '
            "somebody who runs the cluster can grant it",
            id="a missing right",
        ),
        pytest.param(
            401, "Unauthorized", f"{SERVER} does not accept these credentials", id="bad credentials"
        ),
        pytest.param(500, "etcdserver: no leader", "etcdserver: no leader", id="trouble"),
    ],
)
def test_refusals(code: int, message: str, said: str) -> None:
    assert explain(ApiError(Status(code=code, message=message)), SERVER).startswith(said)


def test_no_answer() -> None:
    assert explain(Unreachable("refused"), SERVER).startswith(f"no answer from {SERVER} (refused)")
