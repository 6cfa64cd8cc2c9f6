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
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = @names
[names]
{names}
"""
CLOUD = "\n".join(("DNS.1 = api.imagicle.com", "DNS.2 = grpc.imagicle.com", "DNS.3 = echo.imagicle.com",
                   "DNS.4 = stream.imagicle.com", "DNS.5 = tenant.imagicle.cloud", "DNS.6 = quiet.imagicle.com",
                   "DNS.7 = fresh.imagicle.com", "DNS.8 = gate.imagicle.com", "DNS.9 = bulk.imagicle.com"))
STORE_PASSWORD = "changeit"  # PKCS12 wants one; what it guards is a public certificate


@dataclass(frozen=True)
class Pki:
    root: Path
    stranger: Path
    certificate: Path
    key: Path
    java_store: Path
    root_key: Path

    def proxy(self, folder: Path) -> tuple[Path, Path]:
        """A certificate for TLS to the proxy itself."""
        return _issue(folder, "proxy", "127.0.0.1", (self.root, self.root_key), "leaf", "IP.1 = 127.0.0.1")

    def client(self, folder: Path, name: str) -> tuple[Path, Path]:
        """A certificate for a client of the proxy."""
        return _issue(folder, name, name, (self.root, self.root_key), "client", f"DNS.1 = {name}")


def make(folder: Path) -> Pki:
    folder.mkdir()
    root, root_key = _issue(folder, "root", "Test root")
    stranger, _ = _issue(folder, "stranger", "Stranger root")
    certificate, key = _issue(folder, "leaf", "api.imagicle.com", (root, root_key), "leaf")
    return Pki(root, stranger, certificate, key, java_store(root), root_key)


def java_store(root: Path) -> Path:
    """A trust store for Java beside the certificate, with nothing else in it."""
    store = root.with_suffix(".p12")
    must_run(["keytool", "-importcert", "-noprompt", "-alias", "root", "-file", root,
              "-keystore", store, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD])
    return store


def _issue(folder: Path, file: str, name: str, issuer: tuple[Path, Path] | None = None,
           extensions: str = "root", names: str = CLOUD) -> tuple[Path, Path]:
    config, certificate, key = (folder / f"{file}.{suffix}" for suffix in ("cnf", "pem", "key"))
    config.write_text(CONFIG.format(name=name, names=names))
    signer: list[str | Path] = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
    must_run(["openssl", "req", "-x509", "-config", config, "-extensions", extensions,
              "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
              "-keyout", key, "-out", certificate, *signer])
    return certificate, key
