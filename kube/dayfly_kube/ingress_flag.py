"""The flag that admission and operator have in common: whose Ingresses claim their hosts."""

import argparse

from dayfly_core import selector_text
from dayfly_core.api import LabelSelector
from dayfly_kube.flags import Flags


def add_ingress_hosts(flags: Flags) -> None:
    """Add ``--claim-ingress-hosts``: a LabelSelector, or None if no such host is claimed."""
    flags.add_argument(
        "--claim-ingress-hosts",
        type=label_selector,
        metavar="SELECTOR",
        help="claim the hosts of Ingresses and HTTPRoutes for the namespaces that they are in, if "
        'these have such labels; "*" means all. Admission and operator need the same (default: '
        "none)",
    )


def label_selector(text: str) -> LabelSelector:
    """``team=web,env in (dev,test)``; empty or ``*`` selects everything."""
    try:
        return selector_text.parse(text)
    except selector_text.InvalidSelector as error:
        raise argparse.ArgumentTypeError(str(error)) from error
