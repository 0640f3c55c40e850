"""AdmissionReview: bytes to the few fields that are judged. Any bytes at all may come.

One typed pass over the bytes decides nearly always. The object may be anything (mutating webhooks
see it before the API server validates it), so what does not fit is read again for its envelope.
"""

import re
from typing import Generic, Literal, TypeVar

import msgspec

from dayfly_core import names
from dayfly_core.api import StoredPolicy
from dayfly_core.objects import NAMESPACES, ObjectMeta, is_segment
from dayfly_core.reasons import Reason
from dayfly_core.request import Operation, Request

V1 = "admission.k8s.io/v1"
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
T = TypeVar("T")

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


class _Object(msgspec.Struct, frozen=True, gc=False):
    """An object as it is judged; ``spec`` stays bytes, compared and never read."""

    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = msgspec.Raw(b"")


class _Request(msgspec.Struct, frozen=True, rename="camel", gc=False):
    uid: str
    operation: Operation
    kind: _Kind = _Kind()
    resource: _Resource = _Resource()
    sub_resource: str = ""
    namespace: str = ""
    name: str = ""
    user_info: _User = _User()
    object: _Object | None = None
    old_object: _Object | None = None


class _Review(msgspec.Struct, frozen=True, rename="camel", gc=False):
    request: _Request
    api_version: Literal["admission.k8s.io/v1", "admission.k8s.io/v1beta1"]
    kind: Literal["AdmissionReview"]


class _Id(msgspec.Struct, frozen=True, gc=False):
    uid: str


class _Envelope(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A review whose object is not looked at."""

    request: _Id
    api_version: Literal["admission.k8s.io/v1", "admission.k8s.io/v1beta1"]
    kind: Literal["AdmissionReview"]


class _Anonymous(msgspec.Struct, frozen=True, gc=False):
    """What is still wanted of a review whose envelope is wrong: whom to answer."""

    request: _Id


class _Written(msgspec.Struct, frozen=True, rename={"fields": "fieldsV1"}, gc=False):
    fields: msgspec.Raw = msgspec.Raw(b"")


class _WrittenMeta(msgspec.Struct, frozen=True, rename="camel", gc=False):
    managed_fields: list[_Written] | None = None


class _WrittenObject(msgspec.Struct, frozen=True, gc=False):
    """Who wrote which field: read only of objects that are created with our label on."""

    metadata: _WrittenMeta = _WrittenMeta()


class User(msgspec.Struct, frozen=True):
    """``userInfo``: who asks, as authorizers know a user."""

    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class _Version(msgspec.Struct, frozen=True):
    version: str = ""


class _Spec(msgspec.Struct, frozen=True):
    spec: msgspec.Raw = msgspec.Raw(b"")


class Circumstances(msgspec.Struct, frozen=True, rename="camel"):
    """What is read only of a review whose object asks for a name."""

    resource: _Version = _Version()
    user_info: User = User()
    dry_run: bool | None = None
    object: _Spec | None = None
    old_object: _Spec | None = None


class _About(msgspec.Struct, Generic[T], frozen=True):
    object: T | None


class _Around(msgspec.Struct, frozen=True):
    request: Circumstances


class _Again(msgspec.Struct, Generic[T], frozen=True):
    """A review read once more, for another view of its object."""

    request: _About[T]


_POLICY_FIELD, _HOST_FIELD = (f'"f:{key}"'.encode() for key in (names.POLICY, names.HOST))

_reviews = msgspec.json.Decoder(_Review)
_envelopes = msgspec.json.Decoder(_Envelope)
_anonymous = msgspec.json.Decoder(_Anonymous)
_written = msgspec.json.Decoder(_Again[_WrittenObject])
_policies = msgspec.json.Decoder(_Again[StoredPolicy])
_circumstances = msgspec.json.Decoder(_Around)


class Malformed(ValueError):
    """No AdmissionReview; ``uid`` is empty when even that could not be read."""

    def __init__(self, message: str, uid: str = "") -> None:
        super().__init__(message)
        self.uid = uid


class Review(msgspec.Struct, frozen=True):
    """Whom to answer and what to judge; without a request ``reason`` says why there is none."""

    uid: str
    api_version: str
    request: Request | None
    reason: str = ""
    body: bytes = b""

    @property
    def policy(self) -> StoredPolicy:
        """The object as an ExpiryPolicy; only for a review that has a request."""
        return _policies.decode(self.body).request.object or StoredPolicy()

    @property
    def circumstances(self) -> Circumstances | None:
        """Who asks, and both specs; None if they are not as an API server writes them."""
        try:
            return _circumstances.decode(self.body).request
        except UNDECODABLE:
            return None


def decode(body: bytes) -> Review:
    """Read a review; raises ``Malformed``, and nothing else, for what is none."""
    if not body:
        raise Malformed("the request has no body; an AdmissionReview is expected")
    try:
        review = _reviews.decode(body)
    except UNDECODABLE:
        return _unreadable(body)
    asked, new = review.request, review.request.object
    # What goes away needs no end, and a patch would make the API server fail the request.
    if asked.operation in (Operation.DELETE, Operation.CONNECT) or asked.sub_resource:
        return Review(asked.uid, review.api_version, None, Reason.EXEMPT)
    if new is None or not _addressable(asked):
        return Review(asked.uid, review.api_version, None, Reason.UNREADABLE)
    return Review(asked.uid, review.api_version, _request(asked, new, body), body=body)


def _addressable(asked: _Request) -> bool:
    """Whether nothing leads elsewhere where it is put into a URL: no API server sends such."""
    resource = asked.resource
    return (
        is_segment(asked.namespace)
        and is_segment(asked.name)
        and is_segment(resource.group)
        and is_segment(resource.resource)
    )


def _request(asked: _Request, new: _Object, body: bytes) -> Request:
    resource, old = asked.resource, asked.old_object
    # The API server fills in a Namespace's own name as the namespace of the request.
    own = resource.resource == NAMESPACES.plural and resource.group == NAMESPACES.group
    namespace = "" if own else asked.namespace
    ours = _not_the_authors(asked.operation, new.metadata, body)
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
        reinvoked=_POLICY_FIELD in ours,
        host_given=_HOST_FIELD in ours and names.HOST in new.metadata.annotation_map,
    )


def _not_the_authors(operation: Operation, meta: ObjectMeta, body: bytes) -> frozenset[bytes]:
    """Return which stamps came from earlier calls for this very CREATE, not from its author.

    The API server notes in ``managedFields`` what the author sent, before it calls any webhook.
    """
    if operation is not Operation.CREATE or names.POLICY not in meta.label_map:
        return frozenset()
    try:
        seen = _written.decode(body).request.object
    except UNDECODABLE:
        return frozenset()
    written = [bytes(each.fields) for each in seen.metadata.managed_fields or ()] if seen else []
    stamps = (_POLICY_FIELD, _HOST_FIELD) if written else ()
    return frozenset(s for s in stamps if not any(s in fields for fields in written))


def _unreadable(body: bytes) -> Review:
    try:
        envelope = _envelopes.decode(body)
    except RecursionError as error:
        return _too_deep(body, error)
    except UNDECODABLE as error:
        raise Malformed(f"not an AdmissionReview: {error}", _uid(body)) from error
    return Review(envelope.request.uid, envelope.api_version, None, Reason.UNREADABLE)


def _uid(body: bytes) -> str:
    try:
        return _anonymous.decode(body).request.uid
    except UNDECODABLE:
        return ""


def _too_deep(body: bytes, error: RecursionError) -> Review:
    head = _HEAD.match(body)
    if head is None:
        raise Malformed("nested too deeply") from error
    api_version, uid = (part.decode("ascii") for part in head.groups())
    return Review(uid, api_version, None, Reason.UNREADABLE)
