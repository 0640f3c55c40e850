"""Reference pages on what one can say to the programs and what they tell."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from dayfly_admission import settings as admission
from dayfly_admission.metrics import Metrics as AdmissionMetrics
from dayfly_certs import __main__ as certs
from dayfly_cli import (
    breaker,
    completion,
    explaining,
    extending,
    history,
    listing,
    planning,
    showing,
    simulating,
    usage,
    version,
    waking,
)
from dayfly_core.claim_repair import census
from dayfly_kube.flags import Flags
from dayfly_operator import settings as operator
from dayfly_operator.metrics import Metrics as OperatorMetrics
from dayfly_operator.metrics import Readings

ENVIRON: Mapping[str, str] = {"POD_NAME": "POD_NAME"}
"""No page may depend on the machine that writes it."""


def pages(command: str) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each page; ``command`` is what wrote them."""
    yield "settings.md", _settings_page(command)
    yield "metrics.md", _metrics_page(command)
    yield "cli.md", _cli_page(command)


def table(*head: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield _row(head)
    yield _row(("---",) * len(head))
    yield from map(_row, rows)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _page(title: str, source: str, command: str, *parts: Iterable[str]) -> str:
    head = (f"# {title}", "", f"Generated from {source} by `{command}`.", "")
    return "\n".join(chain(head, *parts))


# Settings.


def _settings_page(command: str) -> str:
    programs = (
        admission.command_line(ENVIRON),
        operator.command_line(ENVIRON),
        certs.command_line(ENVIRON),
    )
    source = "the flags of the programs"
    return _page("Settings", source, command, _settings_head(), *map(_section, programs))


def _settings_head() -> tuple[str, ...]:
    return (
        "There is no configuration file: a program is told everything by flags, in the `command`",
        "of its Deployment in `manifests/base/deployments.yaml`. What happens to which objects is",
        "not a setting but an [ExpiryPolicy](crds.md). A wrong flag ends the program with one line",
        "on standard error and status 2.",
        "",
        "A length of time is written as `3`, `2.2s`, `600ms`, `5m` or `1h`.",
        "",
    )


def _section(flags: Flags) -> Iterator[str]:
    yield f"## {flags.prog}"
    yield ""
    yield from _block((flags.description or "").strip())
    yield ""
    yield from table(
        "Argument", "Meaning", rows=((f"`{flag}`", said) for flag, said in flags.rows())
    )
    yield ""
    yield from _block((flags.epilog or "").strip())
    yield ""


def _block(text: str) -> tuple[str, ...]:
    """Show text as it stands on a terminal, if there is any."""
    return ("```text", *text.splitlines(), "```") if text else ()


# Metrics.


def _metrics_page(command: str) -> str:
    source = "what the programs register"
    parts = (
        _metrics_head(),
        _metrics_of("dayfly admission", _admission_registry()),
        _metrics_of("dayfly operator", _operator_registry()),
    )
    return _page("Metrics", source, command, *parts)


def _metrics_head() -> tuple[str, ...]:
    return (
        "Served as `/metrics` on `--health-listen` (port 8081), beside `/healthz` and `/readyz`.",
        "`reason` is one of the [reasons](reasons.md), `policy` the name of an ExpiryPolicy.",
        "",
    )


def _admission_registry() -> CollectorRegistry:
    metrics = AdmissionMetrics()
    # What has labels shows them only once something was counted.
    metrics.webhook("stamp").count("allowed", "NoPolicy", 0.0)
    metrics.claimed("host", "Granted")
    return metrics.registry


def _operator_registry() -> CollectorRegistry:
    metrics = OperatorMetrics()
    metrics.ended.labels(policy="previews", resource="deployments.apps")
    metrics.stamped.labels(policy="previews", reason="CaughtUp")
    metrics.steps.labels(policy="previews", action="SCALE_DOWN", result="Done")
    metrics.withheld.labels(policy="previews", reason="Protected")
    metrics.events_dropped.labels(cause="Unreachable")
    metrics.breaker_opened.labels(policy="previews")
    metrics.calls.labels(result="delivered")
    metrics.dead_letters.labels(kind="ExpiryPolicy")
    metrics.read(Readings(**{name: float for name in Readings.__struct_fields__}))
    metrics.read_claims(lambda: census([]))
    metrics.read_own_objects(lambda: {"ephemerators.tessellate.io": 1})
    metrics.read_breakers(lambda: {"previews": 60})
    return metrics.registry


def _metrics_of(program: str, registry: CollectorRegistry) -> Iterator[str]:
    yield f"## {program}"
    yield ""
    families = sorted(registry.collect(), key=lambda family: family.name)
    yield from table("Metric", "Type", "Labels", "Meaning", rows=map(_metric, families))
    yield ""


def _metric(family: Metric) -> tuple[str, ...]:
    if not family.samples:
        raise ValueError(f"{family.name} has labels: count something above, so that they show")
    labels = family.samples[0].labels.keys() - {"le"}
    name = f"{family.name}_total" if family.type == "counter" else family.name
    named = ", ".join(f"`{label}`" for label in sorted(labels))
    return f"`{name}`", family.type, named, family.documentation


# Commands.


def _cli_page(command: str) -> str:
    commands = (
        listing,
        showing,
        explaining,
        planning,
        simulating,
        history,
        extending,
        waking,
        breaker,
        completion,
        version,
    )
    sections = (_section(module.command_line("dayfly")) for module in commands)
    source = "the command line itself"
    return _page("Command line", source, command, _cli_head(), *sections)


def _cli_head() -> Iterator[str]:
    yield "The same commands are a kubectl plugin: `kubectl dayfly list` is `dayfly list`. They act"
    yield "with your own rights. The programs `admission`, `operator` and `certs` are on the page"
    yield "[settings](settings.md)."
    yield ""
    yield from _block(usage.HELP.format(prog="dayfly").strip())
    yield ""
