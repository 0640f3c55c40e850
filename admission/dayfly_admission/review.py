"""AdmissionReview: bytes to the few fields that are judged. Any bytes at all may come.

Decoding is typed and happens in two steps: the envelope, which must be right, and in it the
objects, which may be anything: mutating webhooks see objects before the API server validates them.
"""

import re
from dataclasses import dataclass
from typing import Literal

import msgspec

from dayfly_core import names
from dayfly_core.names import Reason
from dayfly_core.objects import NAMESPACES, ObjectMeta
from dayfly_core.request import Operation, Request

V1 = "admission.k8s.io/v1"
_API_VERSIONS = frozenset({V1, "admission.k8s.io/v1beta1"})
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError)

# The API server writes these first; no other reading is left when what follows is nested too deep.
_HEAD = re.compile(
    rb'\s*\{"kind":"AdmissionReview","apiVersion":"(admission\.k8s\.io/v1(?:beta1)?)",'
    rb'"request":\{"uid":"([0-9A-Za-z-]{1,64})"'
)


class _Kind(msgspec.Struct, frozen=True, gc=False):
    kind: str = ""


class _Resource(msgspec.Struct, frozen=True, gc=False):
    group: str = ""
    resource: str = ""


class _User(msgspec.Struct, frozen=True, gc=False):
    username: str = ""


class _Request(msgspec.Struct, frozen=True, rename="camel", gc=False):
    uid: str
    operation: Operation
    kind: _Kind = _Kind()
    resource: _Resource = _Resource()
    sub_resource: str = ""
    namespace: str = ""
    name: str = ""
    user_info: _User = _User()
    object: msgspec.Raw = msgspec.Raw(b"null")
    old_object: msgspec.Raw = msgspec.Raw(b"null")


class _Review(msgspec.Struct, frozen=True, rename="camel", gc=False):
    request: _Request
    api_version: str
    kind: Literal["AdmissionReview"]


class _Anonymous(msgspec.Struct, frozen=True, gc=False):
    """What is still wanted of a review whose envelope is wrong: whom to answer."""

    class Request(msgspec.Struct, frozen=True, gc=False):
        uid: str = ""

    request: Request = Request()


class _Object(msgspec.Struct, frozen=True, gc=False):
    """An object as it is judged; ``spec`` stays bytes, compared and never read."""

    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = msgspec.Raw(b"")


class _ManagedFields(msgspec.Struct, frozen=True, rename={"fields": "fieldsV1"}, gc=False):
    fields: msgspec.Raw = msgspec.Raw(b"")


class _ManagedMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    managed_fields: list[_ManagedFields] | None = None


class _ManagedObject(msgspec.Struct, frozen=True, gc=False):
    """Read only of objects that are created with our label on."""

    metadata: _ManagedMeta = _ManagedMeta()


_POLICY_FIELD = f'"f:{names.POLICY}"'.encode()

_reviews = msgspec.json.Decoder(_Review)
_anonymous = msgspec.json.Decoder(_Anonymous)
_objects = msgspec.json.Decoder(_Object | None)
_managed = msgspec.json.Decoder(_ManagedObject)


class Malformed(ValueError):
    """No AdmissionReview; ``uid`` is empty when even that could not be read."""

    def __init__(self, message: str, uid: str = "") -> None:
        super().__init__(message)
        self.uid = uid


@dataclass(frozen=True, slots=True)
class Review:
    """Whom to answer and what to judge; without a request ``reason`` says why there is none."""

    uid: str
    api_version: str
    request: Request | None
    reason: str = ""
    object: msgspec.Raw = msgspec.Raw(b"null")


def decode(body: bytes) -> Review:
    """Read a review; raises ``Malformed``, and nothing else, for what is none."""
    if not body:
        raise Malformed("the request has no body; an AdmissionReview is expected")
    try:
        envelope = _reviews.decode(body)
    except _UNDECODABLE as error:
        raise Malformed(f"not an AdmissionReview: {error}", _uid(body)) from error
    except RecursionError as error:
        return _too_deep(body, error)
    if envelope.api_version not in _API_VERSIONS:
        raise Malformed(f"apiVersion is not {V1}", envelope.request.uid)
    return _judged(envelope)


def _judged(envelope: _Review) -> Review:
    asked = envelope.request
    # What goes away needs no end, and a patch would make the API server fail the request.
    if asked.operation in (Operation.DELETE, Operation.CONNECT) or asked.sub_resource:
        return Review(asked.uid, envelope.api_version, None, Reason.EXEMPT)
    try:
        new, old = _objects.decode(asked.object), _objects.decode(asked.old_object)
    except _UNDECODABLE:
        new, old = None, None
    if new is None:
        return Review(asked.uid, envelope.api_version, None, Reason.UNREADABLE)
    request = _request(asked, new, old)
    return Review(asked.uid, envelope.api_version, request, object=asked.object)


def _request(asked: _Request, new: _Object, old: _Object | None) -> Request:
    resource = asked.resource
    # The API server fills in a Namespace's own name as the namespace of the request.
    own = (resource.group, resource.resource) == (NAMESPACES.group, NAMESPACES.plural)
    namespace = "" if own else asked.namespace
    return Request(
        operation=asked.operation,
        group=resource.group,
        plural=resource.resource,
        kind=asked.kind.kind,
        namespaced=bool(namespace),
        namespace=namespace,
        name=asked.name or new.metadata.name,
        username=asked.user_info.username,
        meta=new.metadata,
        old=old.metadata if old else None,
        spec_changed=old is not None and new.spec != old.spec,
        reinvoked=_reinvoked(asked, new.metadata),
    )


def _reinvoked(asked: _Request, meta: ObjectMeta) -> bool:
    """Whether the label came from an earlier call for this very CREATE, not from its author.

    The API server notes in ``managedFields`` what the author sent, before it calls any webhook.
    """
    if asked.operation is not Operation.CREATE or names.POLICY not in meta.label_map:
        return False
    try:
        managed = _managed.decode(asked.object).metadata.managed_fields
    except (*_UNDECODABLE, RecursionError):
        return False
    return bool(managed) and not any(_POLICY_FIELD in bytes(entry.fields) for entry in managed)


def _uid(body: bytes) -> str:
    try:
        return _anonymous.decode(body).request.uid
    except (*_UNDECODABLE, RecursionError):
        return ""


def _too_deep(body: bytes, error: RecursionError) -> Review:
    head = _HEAD.match(body)
    if head is None:
        raise Malformed("nested too deeply") from error
    api_version, uid = (part.decode("ascii") for part in head.groups())
    return Review(uid, api_version, None, Reason.UNREADABLE)
