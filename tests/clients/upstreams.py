"""The stand-in cloud: nginx, a gRPC server, a telling origin and an LDAP directory, each a real server with TLS."""

import sys
from pathlib import Path

from paths import HERE
from pki import Pki
from procs import Process, Processes, free_port, must_run

BODY = '{"message":"successfully connected!"}'
SUFFIX = "dc=imagicle,dc=cloud"
PEOPLE = {"ada": "Ada Example", "bruno": "Bruno Example"}
MIB = 1024 * 1024

NGINX = """\
load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
worker_rlimit_nofile {connections};
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_max_body_size 16m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    keepalive_timeout 1h;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        server_name api.imagicle.com;
        ssl_certificate {pki.certificate};
        ssl_certificate_key {pki.key};
        location = /test {{ return 200 '{body}'; }}
        location = /echo {{ echo_read_request_body; echo_request_body; }}
        location = /nothing {{ return 204; }}
        location /files/ {{ root {folder}; }}
        # Left alone, nginx compresses nothing for who names itself in `Via`.
        location = /files/packed.json {{ root {folder}; gzip on; gzip_proxied any; gzip_types application/json; }}
    }}
}}
"""

SLAPD = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCertificateFile {pki.certificate}
TLSCertificateKeyFile {pki.key}
database mdb
suffix "{suffix}"
directory {folder}/data
maxsize 16777216
access to * by * read
"""


def start_nginx(processes: Processes, folder: Path, pki: Pki, connections: int = 512) -> tuple[Process, int]:
    files = folder / "files"
    files.mkdir(parents=True)
    (files / "bulk").write_bytes(bytes(range(256)) * (20 * MIB // 256))
    (files / "packed.json").write_text(BODY * 1000)
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, pki=pki, body=BODY, connections=connections))
    return processes.start("nginx", ["nginx", "-e", "stderr", "-c", config]), port


def start_python(processes: Processes, name: str, program: str, pki: Pki) -> tuple[Process, int]:
    """One of our programs for Python, which take the same arguments."""
    port = free_port()
    return processes.start(name, [sys.executable, HERE / "python" / program, str(port), pki.certificate, pki.key]), port


def start_slapd(processes: Processes, folder: Path, pki: Pki) -> tuple[Process, int]:
    (folder / "data").mkdir(parents=True)
    port = free_port()
    config = folder / "slapd.conf"
    config.write_text(SLAPD.format(folder=folder, pki=pki, suffix=SUFFIX))
    must_run(["slapadd", "-q", "-f", config], stdin=_directory())
    # Any -d keeps slapd in the foreground, where it can be waited for.
    return processes.start("slapd", ["slapd", "-d", "0", "-h", f"ldaps://127.0.0.1:{port}", "-f", config]), port


def _directory() -> str:
    """The directory's content as LDIF."""
    entries = [{"dn": SUFFIX, "objectClass": "domain", "dc": SUFFIX.split(",")[0].removeprefix("dc=")}]
    entries += [
        {"dn": f"uid={uid},{SUFFIX}", "objectClass": "inetOrgPerson", "uid": uid, "cn": name, "sn": name.split()[1]}
        for uid, name in PEOPLE.items()
    ]
    return "\n\n".join("\n".join(f"{key}: {value}" for key, value in entry.items()) for entry in entries) + "\n"
