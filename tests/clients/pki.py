"""A test PKI: one root, one leaf for the stand-in cloud, one root nobody should trust."""

from dataclasses import dataclass
from pathlib import Path

from procs import must_run

# Own configuration: the distribution's would add extensions of its own.
CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = @names
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[names]
DNS.1 = api.imagicle.com
DNS.2 = grpc.imagicle.com
DNS.3 = echo.imagicle.com
DNS.4 = stream.imagicle.com
DNS.5 = tenant.imagicle.cloud
"""
STORE_PASSWORD = "changeit"  # PKCS12 wants one; what it guards is a public certificate


@dataclass(frozen=True)
class Pki:
    root: Path
    stranger: Path
    certificate: Path
    key: Path
    java_store: Path


def make(folder: Path) -> Pki:
    folder.mkdir()
    root, root_key = _issue(folder, "root", "Test root")
    stranger, _ = _issue(folder, "stranger", "Stranger root")
    certificate, key = _issue(folder, "leaf", "api.imagicle.com", issuer=(root, root_key))
    return Pki(root, stranger, certificate, key, java_store(root))


def java_store(root: Path) -> Path:
    """A trust store for Java beside the certificate, with nothing else in it."""
    store = root.with_suffix(".p12")
    must_run(["keytool", "-importcert", "-noprompt", "-alias", "root", "-file", root,
              "-keystore", store, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD])
    return store


def _issue(folder: Path, kind: str, name: str, issuer: tuple[Path, Path] | None = None) -> tuple[Path, Path]:
    config, certificate, key = (folder / f"{kind}.{suffix}" for suffix in ("cnf", "pem", "key"))
    config.write_text(CONFIG.format(name=name))
    signer: list[str | Path] = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
    must_run(["openssl", "req", "-x509", "-config", config, "-extensions", "leaf" if issuer else "root",
              "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
              "-keyout", key, "-out", certificate, *signer])
    return certificate, key
