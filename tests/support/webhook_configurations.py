"""The two webhook configurations of manifests/base as they are before the leader has seen them."""

from dayfly_core import names
from support.fake_api import FakeApi

MUTATING = (
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
    f"{names.MUTATING_CONFIGURATION}"
)


def install_webhooks(api: FakeApi) -> None:
    """Put the two configurations of base there, without rules and caBundle, and empty Secrets."""
    root = "/apis/admissionregistration.k8s.io/v1"
    for kind, name, webhooks in (
        ("mutating", names.MUTATING_CONFIGURATION, [names.STAMP_WEBHOOK]),
        ("validating", names.VALIDATING_CONFIGURATION, [names.JUDGE_WEBHOOK, names.KINDS_WEBHOOK]),
    ):
        entries = [
            {"name": each, "sideEffects": "None", "admissionReviewVersions": ["v1"]}
            for each in webhooks
        ]
        api.put(f"{root}/{kind}webhookconfigurations/{name}", {"webhooks": entries})
    for secret in (names.CA_SECRET, names.TLS_SECRET):
        api.put(f"/api/v1/namespaces/{names.SYSTEM_NAMESPACE}/secrets/{secret}")
