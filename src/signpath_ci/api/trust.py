"""Which servers are trusted, and who the client is to them: TLS beyond what `requests` brings."""

from __future__ import annotations

import ssl
from pathlib import Path

from signpath_ci.errors import UsageError

_OPTION = "--client-certificate (SIGNPATH_CLIENT_CERTIFICATE)"


def tls_context(*, ca_bundle: str | None, client_certificate: Path | None) -> ssl.SSLContext:
    """Return how TLS is spoken. `requests` adds its own authorities to it, or those of `ca_bundle` where there is one.

    The system's store is trusted where the package `truststore` is installed, and no bundle is named.

    Args:
        ca_bundle: a PEM file, or a directory of certificates, which stands for all other authorities.
        client_certificate: a PEM file with a certificate, its chain, and its private key.

    Raises:
        UsageError: one of the files is of no use.
    """
    context = _context(system_store=ca_bundle is None)
    if ca_bundle is not None:
        _check_bundle(Path(ca_bundle))
    if client_certificate is not None:
        _load_certificate(context, client_certificate)
    return context


def _context(*, system_store: bool) -> ssl.SSLContext:
    if system_store:
        try:
            import truststore
        except ImportError:
            pass  # optional: without it the authorities that `requests` brings are all
        else:
            return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    from urllib3.util.ssl_ import create_urllib3_context

    return create_urllib3_context()


def _check_bundle(bundle: Path) -> None:
    if bundle.is_dir():
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle)
    except OSError as error:  # an `ssl.SSLError` is one too
        raise UsageError(
            f"The certificate authorities in {bundle} can't be read: {_reason(error)}.",
            hint="Check REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE: they name a PEM file.",
            code="tls-trust-unreadable",
        ) from None


def _load_certificate(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_cert_chain(path, password=_no_password)
    except OSError as error:
        raise UsageError(
            f"{path} is no client certificate with its private key: {_reason(error)}.",
            hint=f"Name a PEM file with both, without a password, with {_OPTION}.",
            code="client-certificate-invalid",
        ) from None


def _no_password() -> str:
    """Answer for whoever would be asked on the terminal."""
    return ""


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").replace("_", " ").lower()
    return error.strerror or "it is unreadable"
