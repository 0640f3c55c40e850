"""The parts that send outgoing webhooks, made and given to each other."""

from urllib.parse import urlsplit

from dayfly_operator.outgoing.addressing import Addressing, api_server
from dayfly_operator.outgoing.caller import CONNECT, Caller, Desk, Limits
from dayfly_operator.outgoing.lookups import Lookups
from dayfly_operator.outgoing.settings import WebhookSettings


def caller(settings: WebhookSettings, server: str, desk: Desk) -> Caller:
    """Make the one that sends; ``server`` is the API server's URL, which is not called."""
    itself = api_server(urlsplit(server).hostname or "", settings.service_host)
    addressing = Addressing(Lookups(), settings.rules, settings.pins, itself)
    connect = min(CONNECT, settings.timeout)
    return Caller(addressing, desk, Limits(connect, settings.timeout))
