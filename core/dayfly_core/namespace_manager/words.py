"""What a policy of a NamespaceManager does, and what it waits for, in words."""

from collections.abc import Mapping

from msgspec import UNSET

from dayfly_core import api
from dayfly_core.api.namespace_manager import ActionType
from dayfly_core.outgoing import destinations
from dayfly_core.outgoing.destinations import ForbiddenDestination


def does(policy: api.ManagerPolicy, namespace: str) -> str:
    """``namespace team-a is deleted``."""
    match policy.action.type:
        case ActionType.DELETE:
            return f"namespace {namespace} is deleted"
        case ActionType.SCALE_DOWN:
            return f"namespace {namespace} is scaled down"
        case ActionType.WEBHOOK:
            return f"{_origin(policy)} is called"
        case _:
            return f"an Event tells of namespace {namespace}"


def once_pods_succeed(policy: api.ManagerPolicy) -> str:
    """``once all pods with component=main have succeeded``."""
    params = policy.condition.params
    labels = {} if params is UNSET or params.pod_labels is UNSET else params.pod_labels
    return f"once all {_pods(labels)} have succeeded"


def _pods(labels: Mapping[str, str]) -> str:
    written = ",".join(f"{key}={value}" for key, value in labels.items())
    return f"pods with {written}" if written else "its pods"


def _origin(policy: api.ManagerPolicy) -> str:
    """Return where the webhook goes, without the path: that may hold a secret."""
    params = policy.action.params
    url = "" if params is UNSET or params.url is UNSET else params.url
    try:
        return destinations.parse_url(url).origin
    except ForbiddenDestination:
        return "no webhook"
