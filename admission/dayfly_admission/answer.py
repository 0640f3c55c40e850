"""The answers there are: allowed, allowed with a patch, refused.

Each is a type of its own, so an answer that the API server would reject (a patch beside a refusal,
a patch without its type, a refusal without a code) cannot be written down.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from dayfly_admission.review import V1, Malformed, Review
from dayfly_core import patch
from dayfly_core.reasons import Reason
from dayfly_core.verdict import Request, Verdict
from dayfly_core.violations import shown

WARNING_LENGTH = 120
"""Characters; what is longer the API server may cut or drop, and terminals wrap."""


NO_FIELDS = "this is no conflict between field managers"
"""After any 409 ``kubectl apply --server-side`` advises to use --force-conflicts."""


class _Cause(msgspec.Struct, frozen=True):
    reason: str
    field: str
    message: str


class _Details(msgspec.Struct, frozen=True, rename="camel"):
    group: str
    kind: str
    name: str
    causes: list[_Cause] | UnsetType = UNSET
    retry_after_seconds: int | UnsetType = UNSET


class _Status(msgspec.Struct, frozen=True):
    code: int
    reason: str
    message: str
    details: _Details | UnsetType = UNSET
    status: Literal["Failure"] = "Failure"


class _Base(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    uid: str
    warnings: list[str] | UnsetType = UNSET
    audit_annotations: dict[str, str] | UnsetType = UNSET


class Allowed(_Base, frozen=True, kw_only=True, rename="camel"):
    """Yes, as it is."""

    allowed: Literal[True] = True


class Patched(
    _Base, frozen=True, kw_only=True, rename="camel", tag_field="patchType", tag="JSONPatch"
):
    """Yes, with these changes: the bytes of a JSON Patch."""

    patch: bytes
    allowed: Literal[True] = True


class Refused(_Base, frozen=True, kw_only=True, rename="camel"):
    """No, and why."""

    status: _Status
    allowed: Literal[False] = False


Answer = Allowed | Patched | Refused


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    response: Answer
    kind: Literal["AdmissionReview"] = "AdmissionReview"


_encoder = msgspec.json.Encoder()


def encode(answer: Answer, api_version: str = V1) -> bytes:
    """Write the answer down, in the version of the question."""
    return _encoder.encode(_Envelope(api_version, answer))


def allow(review: Review, verdict: Verdict) -> Allowed:
    """Let it pass unchanged, with the verdict's warnings and receipts."""
    return Allowed(
        uid=review.uid,
        warnings=_warnings((*verdict.warnings, *verdict.receipts)),
        audit_annotations=_audit(verdict),
    )


def stamped(review: Review, request: Request, verdict: Verdict) -> Allowed | Patched:
    """Let it pass with the verdict's stamps, if there are any that change something."""
    operations = patch.operations(request.meta, verdict.stamps) if verdict.stamps else []
    if not operations:
        return allow(review, verdict)
    return Patched(
        uid=review.uid,
        warnings=_warnings(verdict.warnings),
        audit_annotations=_audit(verdict),
        patch=_encoder.encode(operations),
    )


def judged(review: Review, request: Request, verdict: Verdict) -> Allowed | Refused:
    """Refuse what has violations, with every one of them; let pass what has none."""
    if not verdict.violations:
        return allow(review, verdict)
    aimed = all(v.reason == Reason.TARGET_FORBIDDEN for v in verdict.violations)
    status = _forbidden(request, verdict) if aimed else _invalid(request, verdict)
    return _refused(review, verdict, status)


def reserved(review: Review, request: Request, verdict: Verdict, retry_after: int) -> Refused:
    """Refuse for now: another request got the names first, and may yet come to nothing."""
    about = f'Operation cannot be fulfilled on {_resource(request)} "{request.name}"'
    texts = "; ".join(f'{v.field}: "{shown(v.value)}" is {v.detail}' for v in verdict.violations)
    details = msgspec.structs.replace(
        _details(request), causes=_causes(verdict), retry_after_seconds=retry_after
    )
    return _refused(
        review, verdict, _Status(409, "Conflict", f"{about}: {texts} ({NO_FIELDS})", details)
    )


def exists(review: Review, request: Request, verdict: Verdict) -> Refused:
    """Refuse to create what is there, as the API server would a moment later."""
    message = f'{_resource(request)} "{request.name}" already exists; change it, or delete it first'
    return _refused(review, verdict, _Status(409, "AlreadyExists", message, _details(request)))


def malformed(error: Malformed) -> Refused:
    """Answer what is no review, as controller-runtime does: HTTP 200, code 400."""
    return Refused(uid=error.uid, status=_Status(400, "BadRequest", str(error)))


def unverified(review: Review, verdict: Verdict, _why: str) -> Allowed:
    """Let pass what nobody could check, and say so: for webhooks that fail open."""
    line = "whether its names are free was not found out in time; Dayfly looks again later"
    return allow(review, msgspec.structs.replace(verdict, warnings=(*verdict.warnings, line)))


def not_let_in(review: Review, verdict: Verdict, why: str) -> Refused:
    """Refuse what nobody could check: for webhooks that fail closed."""
    told = f"whether its name is free was not found out: {why}; retry, and if it lasts, "
    return failed(review, verdict, f"{told}look into the log of dayfly admission")


def failed(review: Review, verdict: Verdict, message: str) -> Refused:
    """Refuse because nobody could tell: for webhooks that fail closed."""
    return _refused(review, verdict, _Status(500, "InternalError", message))


def _refused(review: Review, verdict: Verdict, status: _Status) -> Refused:
    return Refused(
        uid=review.uid,
        warnings=_warnings(verdict.warnings),
        audit_annotations=_audit(verdict),
        status=status,
    )


def _forbidden(request: Request, verdict: Verdict) -> _Status:
    """Say that nothing is wrong with the object but who sends it."""
    texts = "; ".join(f"{v.field}: {v.detail}" for v in verdict.violations)
    message = f'{_resource(request)} "{request.name}" is forbidden: {texts}'
    details = msgspec.structs.replace(_details(request), causes=_causes(verdict))
    return _Status(403, "Forbidden", message, details)


def _invalid(request: Request, verdict: Verdict) -> _Status:
    """Say it twice: kubectl prints only the causes, Helm and the Go client only the message."""
    kind = f"{request.kind}.{request.group}" if request.group else request.kind
    texts = "; ".join(violation.text for violation in verdict.violations)
    details = msgspec.structs.replace(_details(request), causes=_causes(verdict))
    return _Status(422, "Invalid", f'{kind} "{request.name}" is invalid: {texts}', details)


def _details(request: Request) -> _Details:
    return _Details(request.group, request.kind, request.name)


def _causes(verdict: Verdict) -> list[_Cause]:
    return [_Cause("FieldValueInvalid", v.field, v.message) for v in verdict.violations]


def _resource(request: Request) -> str:
    return f"{request.plural}.{request.group}" if request.group else request.plural


def _warnings(texts: tuple[str, ...]) -> list[str] | UnsetType:
    return [_line(text) for text in texts] if texts else UNSET


def _line(text: str) -> str:
    """Make it fit for an HTTP header: one line, printable, at most 120 characters."""
    clean = text if text.isprintable() else "".join(_printable(text))
    return clean if len(clean) <= WARNING_LENGTH else clean[: WARNING_LENGTH - 1] + "…"


def _printable(text: str) -> Iterable[str]:
    return (character if character.isprintable() else " " for character in text)


def _audit(verdict: Verdict) -> dict[str, str]:
    annotations = {"reason": verdict.reason}
    if verdict.policy:
        annotations["policy"] = verdict.policy
    if verdict.claims:
        annotations["claims"] = ",".join(verdict.claims)
    if verdict.audited:
        annotations["would-refuse"] = "; ".join(verdict.audited)
    return annotations
