"""What an installation is put together from: units, the proxy, containers; each by the program that reads it."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import CERT_NONE, create_default_context

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xinzheng.cli.main import build_parser
from xinzheng.cli.task_worker import QUEUES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
INSTALLED = "/opt/xinzheng/bin/"
SETTING = re.compile(r"\bXINZHENG_[A-Z0-9_]+\b")
# Of the scripts, not of the product.
OF_SCRIPTS = {"XINZHENG_VENV", "XINZHENG_SOAK_VENV"}
HOST = "credit.example.gov.cn"
HARMLESS = 2.0


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with programs that exist in the place of those of an installation."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("xinzheng", "python"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    for path in (DEPLOY / "systemd").glob("xinzheng*.*"):
        if path.suffix in (".service", ".timer", ".target"):
            (tmp_path / path.name).write_text(path.read_text().replace(INSTALLED, f"{programs}/"))
    return sorted(path for path in tmp_path.iterdir() if path.is_file())


def run(*command: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(part) for part in command], env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_systemd_reads_every_unit_without_a_word(units: list[Path]) -> None:
    assert len(units) == 7
    # It answers 0 to a key it does not know; only its silence says that all is right.
    found = run("systemd-analyze", "verify", "--man=no", *units, SYSTEMD_UNIT_PATH=f"{units[0].parent}:")
    assert (found.returncode, found.stderr) == (0, "")


def test_a_unit_with_a_mistake_would_be_heard(units: list[Path]) -> None:
    web = next(path for path in units if path.name == "xinzheng-web.service")
    web.write_text(web.read_text().replace("Restart=", "Restrat="))
    assert "Restrat" in run("systemd-analyze", "verify", "--man=no", web).stderr


def test_no_unit_may_do_more_than_it_has_to(units: list[Path]) -> None:
    for path in (path for path in units if path.suffix == ".service"):
        told = run("systemd-analyze", "security", "--offline=true", "--no-pager", path).stdout
        exposure = float(told.rpartition(": ")[2].split()[0])
        assert exposure <= HARMLESS, (path.name, exposure)


def started() -> Iterator[tuple[str, list[str]]]:
    """What the units and the containers start: where it is written, and its words."""
    for path in (DEPLOY / "systemd").glob("*.service"):
        for line in path.read_text().splitlines():
            if line.startswith(("ExecStart=", "ExecStop=")):
                yield path.name, line.partition("=")[2].removeprefix(INSTALLED).split()
    for name, service in yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"].items():
        if service.get("image") == "xinzheng" and "command" in service:
            yield name, service["command"]


def test_what_is_started_is_there() -> None:
    found = list(started())
    assert len(found) > 6
    parser, _ = build_parser()
    for where, words in found:
        if words[0] == "xinzheng":
            parser.parse_args(words[1:])
        else:
            assert words[:3] == ["python", "-m", "xinzheng.cli.task_worker"], where
            assert set(words[3:]) <= set(QUEUES), where


def test_every_setting_that_is_named_is_read_somewhere() -> None:
    read = {
        name
        for path in [*(ROOT / "src" / "xinzheng").rglob("*.py"), ROOT / "script" / "environment.sh"]
        for name in SETTING.findall(path.read_text(encoding="utf-8"))
    }
    floors = {name for name in read if name.startswith("XINZHENG_FLOOR")}
    written = [*DEPLOY.rglob("*"), *(ROOT / "docs" / "operations").glob("*.md")]
    for path in (path for path in written if path.is_file()):
        named = set(SETTING.findall(path.read_text(encoding="utf-8"))) - OF_SCRIPTS
        strange = {name for name in named - read if not (floors and name.startswith("XINZHENG_FLOOR_"))}
        assert strange == set(), path.name


def test_the_containers_are_wired_to_each_other() -> None:
    composed = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    services = composed["services"]
    assert set(services) == {"database", "web", "worker", "screening", "proxy"}
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith("./") or source in composed["volumes"], name
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    container = (DEPLOY / "compose" / "Containerfile").read_text(encoding="utf-8")
    for line in container.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


class Telling(BaseHTTPRequestHandler):
    """A site that says what it was asked with."""

    def do_GET(self) -> None:
        said = "\n".join(f"{name}: {value}" for name, value in self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def proxied(folder: Path) -> Iterator[int]:
    """nginx with the site's file on loopback, before a site of the test's own; the port with TLS."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), Telling)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    with socket.socket() as plain, socket.socket() as secured:
        plain.bind(("127.0.0.1", 0))
        secured.bind(("127.0.0.1", 0))
        http, https = plain.getsockname()[1], secured.getsockname()[1]
    configuration = written(folder, {"127.0.0.1:8000": f"127.0.0.1:{site.server_port}", "443": https, "80": http})
    checked = run("nginx", "-t", "-q", "-p", folder, "-c", configuration)
    assert (checked.returncode, checked.stderr) == (0, "")
    process = subprocess.Popen(["nginx", "-p", folder, "-c", configuration, "-g", "daemon off;"])
    try:
        yield https
    finally:
        process.terminate()
        process.wait()
        site.shutdown()
        site.server_close()


def written(folder: Path, ports: dict[str, object]) -> Path:
    """The site's file as it stands, but for ports, folders and the lines for IPv6."""
    certificate(folder)
    text = (DEPLOY / "nginx" / "xinzheng.conf").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8000", str(ports["127.0.0.1:8000"]))
    text = re.sub(r"listen \[::\].*\n", "", text)
    text = text.replace("listen 443", f"listen 127.0.0.1:{ports['443']}")
    text = text.replace("listen 80", f"listen 127.0.0.1:{ports['80']}")
    text = text.replace("/etc/nginx/xinzheng/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
    temporary = "".join(f"{what}_temp_path {folder}/{what};" for what in ("proxy", "fastcgi", "scgi", "uwsgi"))
    whole = (
        f"pid {folder}/pid; error_log stderr error; events {{}} "
        f"http {{ client_body_temp_path {folder}/body; {temporary}\n{text} }}"
    )
    path = folder / "nginx.conf"
    path.write_text(whole, encoding="utf-8")
    return path


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    (folder / "site.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "site.key").write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))


def ask(port: int, path: str) -> tuple[int, str]:
    """One request from a visitor who claims to be somebody else."""
    context = create_default_context()
    context.check_hostname, context.verify_mode = False, CERT_NONE
    connected: HTTPConnection = HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        claimed = {"Host": HOST, "X-Forwarded-For": "203.0.113.7", "X-Request-ID": "mine"}
        connected.request("GET", path, headers=claimed)
        answer = connected.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connected.close()


def test_nginx_passes_on_who_asks_and_keeps_codes_out_of_its_log(tmp_path: Path) -> None:
    assert shutil.which("nginx"), "nginx is missing: script/test installs it"
    tmp_path.chmod(0o755)
    with proxied(tmp_path) as port:
        until = time.monotonic() + 10
        while True:
            try:
                status, said = ask(port, "/v/Ab-3_xYz?code=Qq7")
                break
            except OSError:
                assert time.monotonic() < until
                time.sleep(0.05)
        assert status == 200
        told = dict(line.split(": ", 1) for line in said.splitlines())
        assert (told["Host"], told["X-Forwarded-Proto"], told["X-Forwarded-For"]) == (HOST, "https", "127.0.0.1")
        assert len(told["X-Request-ID"]) == 32
        assert ask(port, "/metrics")[0] == 404
    logged = (tmp_path / "xinzheng.log").read_text()
    assert "/v/[code]" in logged
    assert not re.search("xYz|Qq7", logged)
