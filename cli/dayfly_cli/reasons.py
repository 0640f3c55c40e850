"""Errors of the API server as one line for a person: what is wrong, and what to do about it."""

import re
from typing import Final

from dayfly_kube.errors import ApiError, Unreachable

# What the API server puts before the sentence of a webhook or an admission policy.
_PREAMBLE: Final = re.compile(
    r"""^(?:[\w.]+\ "[^"]*"\ is\ (?:forbidden|invalid):\ (?::\ )?)?
    (?:admission\ webhook\ "[^"]+"\ denied\ the\ request:\ |
    ValidatingAdmissionPolicy\ '[^']+'\ with\ binding\ '[^']+'\ denied\ request:\ )""",
    re.VERBOSE,
)


def explain(error: ApiError | Unreachable, server: str) -> str:
    """Say what happened and, where there is one, the way out."""
    if isinstance(error, Unreachable):
        return f"no answer from {server} ({error}); does `kubectl get --raw /readyz` get one?"
    if error.unauthorized:
        return f"{server} does not accept these credentials; `kubectl auth whoami` says more"
    sentence = _PREAMBLE.sub("", error.message) or str(error)
    if sentence != error.message:
        return f"refused: {sentence}"
    if error.forbidden:
        return f"{sentence}; somebody who runs the cluster can grant it"
    return sentence
