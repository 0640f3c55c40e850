"""How we and the API server prove to each other who we are, in OpenSSL's terms."""

import ssl
import tempfile

from dayfly_kube.config import Config
from dayfly_kube.credentials import Credential


def context_of(config: Config) -> ssl.SSLContext | bool:
    """Trust whom the configuration trusts; False for plain HTTP, which has nothing to check."""
    if not config.server.startswith("https:"):
        return False
    context = ssl.create_default_context(cadata=config.ca_data)
    if config.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def load_pair(context: ssl.SSLContext, credential: Credential) -> None:
    """Present a client certificate from the next connection on; ``ssl.SSLError`` if it is none."""
    if not credential.certificate:
        return
    # OpenSSL reads certificates from files only; this one is readable by us alone, and soon gone.
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(credential.certificate + b"\n" + credential.key)
        pair.flush()
        context.load_cert_chain(pair.name)
