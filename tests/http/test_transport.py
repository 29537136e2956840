"""TLS, CA files and redirects: whom the transport trusts, and what it never sends to another host."""

from __future__ import annotations

import ipaddress
import ssl

from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clouds import environment
from inprocess import FakeTime, Run, password_of, settings_of
from plugin import Plugin, PluginError
from pulumi_cbr_sharing import Connection
from pulumi_cbr_sharing.cbr.vaults import list_vaults
from pulumi_cbr_sharing.emulator import Fault, serve
from pulumi_cbr_sharing.errors import SettingsError, UnexpectedAnswer, Unreachable
from pulumi_cbr_sharing.http.client import Client
from pulumi_cbr_sharing.resources.share_member import BackupShareMemberProvider
from pulumi_cbr_sharing.settings.credentials import Certificate, Secret
from pulumi_cbr_sharing.settings.resolve import resolve


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_cbr_sharing.emulator import Emulator


OURS = BackupShareMemberProvider()


class Authority:
    """A certificate authority, and a certificate for this machine signed by it."""

    def __init__(self, folder: Path, name: str) -> None:
        key, subject = ec.generate_private_key(ec.SECP256R1()), _name(name)
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        own = _builder(subject, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_pem(own.add_extension(usage, True).sign(key, hashes.SHA256())))
        server = ec.generate_private_key(ec.SECP256R1())
        hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        signed = _builder(_name("server"), subject, server).add_extension(hosts, False).sign(key, hashes.SHA256())
        self.server = str(folder / f"{name}-server.pem"), str(folder / f"{name}-server.key")
        (folder / f"{name}-server.pem").write_bytes(_pem(signed))
        (folder / f"{name}-server.key").write_bytes(
            server.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now, day = datetime.now(timezone.utc), timedelta(days=1)
    bare = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return bare.not_valid_before(now - day).not_valid_after(now + day)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(name="authority")
def _authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture(name="secure")
def _secure(authority: Authority) -> Iterator[Emulator]:
    """A cloud with TLS, and a certificate that no system trusts."""
    with serve(tls=authority.server) as emulator:
        yield emulator


def inputs(emulator: Emulator) -> dict[str, str]:
    """The inputs to share the first backup with the recipient."""
    return {"backup_id": emulator.backup.id, "dest_project_id": emulator.account("recipient").project_id}


def shared(emulator: Emulator) -> list[str]:
    """The projects that the first backup is shared with."""
    return list(emulator.members(emulator.backup.id))


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_an_unknown_certificate_is_refused_at_once_and_in_plain_words(secure: Emulator) -> None:
    """It is not retried, and the error names the setting that helps."""
    passed = FakeTime()
    with Run(settings_of(secure), passed.clock) as run, pytest.raises(Unreachable) as told:
        run.create(**{name.replace("dest_", ""): text for name, text in inputs(secure).items()})

    assert "its TLS certificate is not trusted: set HW_CACERT" in str(told.value)
    assert "\n" not in str(told.value)
    assert passed.slept == []
    assert secure.requests == []


@pytest.mark.parametrize(
    "name",
    ["huaweicloud:cacertFile", "HW_CACERT", "OS_CACERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"],
)
def test_a_ca_file_is_taken_from_where_users_have_it(name: str, secure: Emulator, authority: Authority) -> None:
    """In the stack config, in the variables of the vendor's and of OpenStack's tools, and in that of `requests`."""
    setting = {name: str(authority.file)}
    config, env = (setting, {}) if ":" in name else ({}, setting)
    with Plugin(config=config, env=environment(secure) | env) as plugin:
        plugin.create(OURS, inputs(secure))

    assert shared(secure) == [inputs(secure)["dest_project_id"]]


@pytest.mark.parametrize("form", ["with ~", "PEM text"])
def test_certificates_are_paths_or_text(
    form: str, secure: Emulator, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the Terraform provider; a text is never shown."""
    monkeypatch.setenv("HOME", str(tmp_path))
    given = "~/ours.pem" if form == "with ~" else authority.file.read_text()
    settings = resolve(Connection(), config={}, environ=environment(secure) | {"HW_CACERT": given})
    assert "BEGIN" not in repr(settings)
    with Run(settings) as run:
        run.create(*inputs(secure).values())
    assert shared(secure) == [inputs(secure)["dest_project_id"]]


@pytest.mark.parametrize("form", ["paths", "texts"])
def test_a_client_shows_its_certificate(form: str, authority: Authority, tmp_path: Path) -> None:
    """To a gateway that asks for one; the private key is left in no file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server)
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED
    cert, key = authority.server if form == "paths" else (Path(path).read_text() for path in authority.server)
    (tmp_path / "temporary").mkdir()
    with Gateway(("127.0.0.1", 0), Answer) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        environ = {
            "HW_REGION_NAME": "eu-de",
            "HW_AUTH_TOKEN": "t",
            "HW_PROJECT_ID": "0" * 32,
            "OS_KEY": key,
            "HW_CBR_ENDPOINT": f"https://127.0.0.1:{server.server_port}",
            "OS_CERT": cert,
            "HW_CACERT": str(authority.file),
        }
        assert list_vaults(Client(resolve(Connection(), config={}, environ=environ))) == []
        server.shutdown()
    assert list((tmp_path / "temporary").iterdir()) == []


class Gateway(ThreadingHTTPServer):
    """One that says nothing of connections that fail."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


class Answer(BaseHTTPRequestHandler):
    """No vaults."""

    def do_GET(self) -> None:
        """Give an empty list."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"vaults": [], "count": 0}')

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.mark.parametrize("key", ["/gone", "-----BEGIN PRIVATE KEY-----\nplanted\n-----END PRIVATE KEY-----"])
def test_a_wrong_private_key_is_named_and_its_text_not_shown(key: str, secure: Emulator, authority: Authority) -> None:
    """Before anything is sent."""
    environ = environment(secure) | {"OS_CERT": authority.server[0], "OS_KEY": key}
    with pytest.raises(SettingsError) as told:
        list_vaults(Client(resolve(Connection(), config={}, environ=environ)))
    shown = "PEM text" if "BEGIN" in key else key
    assert f"environment OS_KEY ({shown})" in str(told.value)
    assert "planted" not in str(told.value)
    assert secure.requests == []


def test_another_authoritys_file_is_no_help(secure: Emulator, tmp_path: Path) -> None:
    """Only the CAs in the file are trusted."""
    other = Authority(tmp_path, "other")
    with (
        Run(settings_of(secure, ca=Certificate(Secret(str(other.file)), "environment HW_CACERT"))) as run,
        pytest.raises(Unreachable, match="not trusted"),
    ):
        run.create(secure.backup.id, inputs(secure)["dest_project_id"])


@pytest.mark.parametrize("kind", ["missing", "a folder without certificates", "a file without certificates"])
def test_a_ca_file_that_is_none_is_named(kind: str, secure: Emulator, tmp_path: Path) -> None:
    """A wrong path is reported at once, and not as a problem of the certificate."""
    path = tmp_path / "ca.pem"
    if kind == "a folder without certificates":
        path.mkdir()
    elif kind == "a file without certificates":
        path.write_text("not a certificate")
    passed = FakeTime()
    expected = Unreachable if "folder" in kind else SettingsError
    with (
        Run(settings_of(secure, ca=Certificate(Secret(str(path)), "environment HW_CACERT")), passed.clock) as run,
        pytest.raises(expected) as told,
    ):
        run.create(secure.backup.id, inputs(secure)["dest_project_id"])

    assert str(path) in str(told.value)
    assert "HW_CACERT" in str(told.value)
    assert passed.slept == []
    assert secure.requests == []


def test_insecure_works_and_warns_in_each_run(secure: Emulator) -> None:
    """Each process warns once, however many resources it has."""
    env = environment(secure) | {"HW_INSECURE": "true"}
    plugin = Plugin(env=env).__enter__()
    made = plugin.create(OURS, inputs(secure))
    assert plugin.read(made)
    printed = [plugin.stop()]
    plugin = Plugin(env=env).__enter__()
    plugin.delete(made)
    printed.append(plugin.stop())

    warning = "warning: insecure is set, so TLS certificates are not verified"
    assert [text.count(warning) for text in printed] == [1, 1]
    assert [request.status for request in secure.requests] == [200, 200, 204]  # POST, GET, DELETE


def test_insecure_is_not_undone_by_a_ca_bundle(secure: Emulator, tmp_path: Path) -> None:
    """An explicit setting takes precedence over a variable for other tools."""
    other = Authority(tmp_path, "other")
    env = environment(secure) | {"HW_INSECURE": "true", "REQUESTS_CA_BUNDLE": str(other.file)}
    with Plugin(env=env) as plugin:
        plugin.create(OURS, inputs(secure))
    assert shared(secure)


def test_a_certificate_of_another_host_is_refused(secure: Emulator, authority: Authority) -> None:
    """A trusted CA is not enough: the certificate must be for the host."""
    env = environment(secure) | {"HW_CACERT": str(authority.file)}
    env["HW_CBR_ENDPOINT"] = secure.url.replace("127.0.0.1", "localhost")
    with Plugin(env=env) as plugin, pytest.raises(PluginError, match="certificate is not trusted"):
        plugin.create(OURS, inputs(secure))
    assert secure.requests == []


def test_https_is_not_left_for_http(emulator: Emulator, secure: Emulator, authority: Authority) -> None:
    """A redirect to plain http would show the token on the network."""
    secure.add_fault(Fault(status=302, headers={"Location": f"{emulator.url}/v3"}, times=9))
    settings = settings_of(
        secure, ca=Certificate(Secret(str(authority.file)), "environment HW_CACERT"), credential=password_of(secure)
    )
    with Run(settings) as run, pytest.raises(UnexpectedAnswer):
        run.create(secure.backup.id, inputs(secure)["dest_project_id"])
    assert emulator.requests == []


# --- redirects -------------------------------------------------------------------------------------------------------


@pytest.fixture(name="elsewhere")
def _elsewhere() -> Iterator[Emulator]:
    """Another host, which must not receive anything."""
    with serve() as emulator:
        yield emulator


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_a_redirect_is_never_followed(status: int, method: str, emulator: Emulator, elsewhere: Emulator) -> None:
    """The signature or token would be sent along, and a share would be created or cancelled at another host."""
    recipient = emulator.account("recipient").project_id
    headers = {"Location": f"{elsewhere.url}/v3/{'0' * 32}/backups/{emulator.backup.id}/members"}
    with Run(settings_of(emulator)) as run:
        state = None if method == "POST" else run.create(emulator.backup.id, recipient)
    emulator.add_fault(Fault(method, "/members", status, headers=headers, times=9))
    with Run(settings_of(emulator, max_retries=1), FakeTime().clock) as run, pytest.raises(UnexpectedAnswer) as told:
        run.create(emulator.backup.id, recipient) if state is None else {"GET": run.read, "DELETE": run.delete}[method](
            state
        )

    assert "a redirect to " in str(told.value)
    assert "which is not followed" in str(told.value)
    assert elsewhere.requests == []
    assert shared(emulator) == ([recipient] if state else [])


def test_a_password_is_not_sent_on_to_another_host(emulator: Emulator, elsewhere: Emulator) -> None:
    """A 307 asks to send the same body to another host."""
    emulator.add_fault(Fault("POST", "/tokens", 307, headers={"Location": f"{elsewhere.iam_url}/auth/tokens"}))
    with Run(settings_of(emulator, credential=password_of(emulator))) as run, pytest.raises(UnexpectedAnswer):
        run.create(emulator.backup.id, emulator.account("recipient").project_id)
    assert elsewhere.requests == []
    assert shared(emulator) == []
