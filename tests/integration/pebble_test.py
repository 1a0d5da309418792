#!/usr/bin/env python3
"""Certificates end to end: navigator, a real pdns_server on its store, and pebble as the CA.

NAVIGATOR names the binary under test. Everything runs on loopback in a temporary folder and is stopped by its pid.
"""
import http.client
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
from certificate_stack import TOPOLOGY, ZONE  # noqa: E402
from daemons import free_port  # noqa: E402

NAVIGATOR = os.environ.get("NAVIGATOR", "")
PEBBLE = shutil.which("pebble")
PDNS = shutil.which("pdns_server") or ("/usr/sbin/pdns_server" if os.path.exists("/usr/sbin/pdns_server") else None)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


@unittest.skipUnless(NAVIGATOR and os.path.exists(NAVIGATOR), "NAVIGATOR does not name a binary")
@unittest.skipUnless(PEBBLE and PDNS, "pebble and pdns_server are needed")
class PebbleTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="pebble-test-")
        self.processes = []
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.addCleanup(self.stop_all)
        self.dns, self.ca, self.management = free_port(), free_port(), free_port()
        self.make_tls()
        self.start_navigator()
        self.start_pdns()
        self.start_pebble()

    def file(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(content)
        return path

    def start(self, name, argv, **environment):
        log = open(self.file(name + ".log"), "ab")  # pylint: disable=consider-using-with
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   env={**os.environ, **environment})
        log.close()
        self.processes.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        self.processes.remove(process)

    def stop_all(self):
        for process in list(reversed(self.processes)):
            self.stop(process)

    def log(self, name):
        with open(self.file(name + ".log"), encoding="utf-8", errors="replace") as stream:
            return stream.read()[-4000:]

    def make_tls(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, cwd=self.folder, capture_output=True)

        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test root")
        openssl("req", *curve, "-keyout", "pebble.key", "-out", "pebble.csr", "-subj", "/CN=localhost")
        self.file("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "pebble.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "2", "-extfile", "names", "-out", "pebble.pem")

    def start_navigator(self):
        self.topology = self.file("topology.yaml", TOPOLOGY)
        self.zone = self.file("stream.example.zone", ZONE)
        self.config = self.file("navigator.yaml", f"""\
node: dns-ams
store: {{url: "sqlite://{self.folder}/navigator.db"}}
remote: {{unix: {self.folder}/remote.sock}}
api: {{unix: {self.folder}/api.sock}}
powerdns: {{control: [{self.folder}/pdns.controlsocket]}}
topology: {self.topology}
sites:
  - {{name: ams, node: dns-ams, address: 127.0.0.1, port: {self.dns}}}
acme:
  directory: "https://localhost:{self.ca}/dir"
  ca_bundle: {self.folder}/ca.pem
  contact: "mailto:ops@example.org"
  master_key: {self.folder}/master.key
  first_retry: 1s
""")
        self.navigator = self.start("navigator", [NAVIGATOR, "--config", self.config, "serve"])
        wait_for(lambda: os.path.exists(self.file("api.sock")) or self.navigator.poll() is not None, 15, "the API")
        self.assertIsNone(self.navigator.poll(), self.log("navigator"))
        self.command("zone", "import", "stream.example", self.zone)

    def start_pdns(self):
        folder = self.file("pdns")
        os.mkdir(folder)
        with open(os.path.join(folder, "pdns.conf"), "w", encoding="utf-8") as stream:
            stream.write(f"""\
launch=remote
remote-connection-string=unix:path={self.folder}/remote.sock,timeout=5000
local-address=127.0.0.1
local-port={self.dns}
socket-dir={self.folder}
guardian=no
daemon=no
disable-syslog=yes
""")
        self.start("pdns", [PDNS, "--config-dir=" + folder])
        wait_for(lambda: accepts(self.dns), 15, "pdns_server")

    def start_pebble(self):
        config = self.file("pebble.json", json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.ca}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": self.file("pebble.pem"), "privateKey": self.file("pebble.key"), "httpPort": 5002,
            "tlsPort": 5001, "certificateValidityPeriod": 86400 * 90}}))
        self.pebble = self.start("pebble", [PEBBLE, "-config", config, "-dnsserver", f"127.0.0.1:{self.dns}"],
                                 PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT="10", PEBBLE_AUTHZREUSE="0")
        wait_for(lambda: accepts(self.ca), 15, "pebble")

    def command(self, *words):
        done = subprocess.run([NAVIGATOR, "--config", self.config, *words], capture_output=True, text=True, timeout=30,
                              check=False)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}{self.log('navigator')}")
        return done.stdout

    def certificates(self):
        connection = UnixConnection(self.file("api.sock"))
        connection.request("GET", "/v1/certificates")
        answer = connection.getresponse()
        body = answer.read()
        self.assertEqual(answer.status, 200, body)
        connection.close()
        return json.loads(body)["certificates"]

    def certificate_of(self, name, seconds=30):
        def look():
            return [one for one in self.certificates() if name in one["names"]]
        try:
            return wait_for(look, seconds, f"a certificate for {name}")[-1]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log('navigator')}\n{self.log('pebble')}") from error

    def dig(self, name, kind):
        done = subprocess.run(["dig", "@127.0.0.1", "-p", str(self.dns), "+short", "+time=2", "+tries=1", name, kind],
                              capture_output=True, text=True, timeout=10, check=False)
        return done.stdout.split()

    def test_a_new_tenant_gets_apex_and_wildcard(self):
        self.command("tenant", "create", "acme-tv", "--plan", "pro", "--primary", "ams")
        certificate = self.certificate_of("acme-tv.stream.example")
        self.assertEqual(sorted(certificate["names"]), ["*.acme-tv.stream.example", "acme-tv.stream.example"])
        self.assertGreater(certificate["not_after_ms"], time.time() * 1000)
        if shutil.which("dig"):
            name = "_acme-challenge.acme-tv.stream.example"
            wait_for(lambda: not self.dig(name, "TXT"), 10, "the end of the TXT values")

    def test_no_file_holds_a_key_in_the_clear(self):
        """Database, its journal, and logs: keys as PEM or DER, and the master key itself."""
        self.command("tenant", "create", "acme-tv", "--plan", "pro", "--primary", "ams")
        self.certificate_of("acme-tv.stream.example")
        with open(self.file("master.key"), "rb") as stream:
            master = stream.read().strip()
        marks = [b"PRIVATE KEY", bytes.fromhex("30770201010420"), bytes.fromhex("308187020100301306072a8648ce3d0201"),
                 master, *([bytes.fromhex(master.decode())] if len(master) == 64 else [])]
        looked_at = set()
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(".key") or not os.path.isfile(path):
                    continue
                looked_at.add(name)
                with open(path, "rb") as stream:
                    content = stream.read()
                for mark in marks:
                    self.assertNotIn(mark, content, path)
        self.assertLessEqual({"navigator.db", "navigator.db-wal", "navigator.log", "pdns.log"}, looked_at)

    def ends_in_a_core(self, process):
        """Whether a process that aborts without a limit on cores leaves one."""
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -signal.SIGABRT  # it was waited for here, because subprocess does not tell of cores
        self.processes.remove(process)
        self.assertTrue(os.WIFSIGNALED(status))
        return os.WCOREDUMP(status)

    def test_keys_change_while_everything_runs(self):
        self.command("tenant", "create", "acme-tv", "--plan", "pro", "--primary", "ams")
        first = self.certificate_of("acme-tv.stream.example")
        before = json.loads(self.command("vault", "status", "--json"))
        self.assertEqual(before["data_keys"], 2, "the tenant's and the accounts'")
        self.assertEqual(json.loads(self.command("vault", "rotate", "--tenant", "acme-tv", "--json"))["sealed"], 1)
        self.command("vault", "rotate", "--accounts")
        self.assertIn(".former", self.command("vault", "rotate"))
        after = json.loads(self.command("vault", "status", "--json"))
        self.assertNotEqual(after["master"], before["master"])
        self.assertEqual(after["data_keys"], 2)
        self.assertEqual(os.stat(self.file("master.key")).st_mode & 0o777, 0o600)
        # The account's key and the certificate's still open, before and after a restart: the next tenant needs the one,
        # a revocation the other.
        self.command("tenant", "create", "second", "--plan", "pro", "--primary", "ams")
        self.certificate_of("second.stream.example")
        self.stop(self.navigator)
        self.start_navigator()
        self.command("cert", "revoke", "acme-tv", "--reason", "keyCompromise")
        wait_for(lambda: self.certificate_of("acme-tv.stream.example")["fingerprint"] != first["fingerprint"], 30,
                 "the replacement")
        self.command("tenant", "delete", "second")
        wait_for(lambda: json.loads(self.command("vault", "status", "--json"))["data_keys"] == 2, 30,
                 "the end of the deleted tenant's data key")

    def test_a_crash_leaves_no_core(self):
        other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE,
                                 cwd=self.folder)
        self.processes.append(other)
        self.addCleanup(other.stdin.close)
        if not self.ends_in_a_core(other):
            self.skipTest("this machine writes no cores at all")
        self.assertFalse(self.ends_in_a_core(self.navigator))

    def test_a_ca_that_lost_its_memory_registers_the_account_again(self):
        self.command("tenant", "create", "one", "--plan", "pro", "--primary", "ams")
        self.certificate_of("one.stream.example")
        self.stop(self.pebble)
        self.start_pebble()
        self.command("tenant", "create", "two", "--plan", "pro", "--primary", "ams")
        self.certificate_of("two.stream.example")

    def test_a_restarted_navigator_orders_nothing_again(self):
        self.command("tenant", "create", "acme-tv", "--plan", "pro", "--primary", "ams")
        before = self.certificate_of("acme-tv.stream.example")
        self.stop(self.navigator)
        if os.path.exists(self.file("api.sock")):
            os.unlink(self.file("api.sock"))
        self.navigator = self.start("navigator", [NAVIGATOR, "--config", self.config, "serve"])
        wait_for(lambda: os.path.exists(self.file("api.sock")), 15, "the API socket")
        # Another tenant's certificate shows that the issuer has been at work since.
        self.command("tenant", "create", "two", "--plan", "pro", "--primary", "ams")
        self.certificate_of("two.stream.example")
        self.assertEqual(self.certificate_of("acme-tv.stream.example")["fingerprint"], before["fingerprint"])

    def test_a_deleted_tenant_leaves_no_certificate(self):
        self.command("tenant", "create", "acme-tv", "--plan", "pro", "--primary", "ams")
        self.certificate_of("acme-tv.stream.example")
        self.command("tenant", "delete", "acme-tv")
        wait_for(lambda: not self.certificates(), 15, "the removal of the certificate")


if __name__ == "__main__":
    unittest.main(verbosity=2)
