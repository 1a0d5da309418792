"""Real pdns_server processes and one Navigator for the integration tests, each in a temporary folder, all on loopback.

NAVIGATOR names the binary under test. Everything is stopped by its own pid.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
from daemons import DEADLINE, free_port, run, wait_for  # noqa: E402

NAVIGATOR = os.environ.get("NAVIGATOR", "build/release/bin/navigator")
SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"


class Process:
    """A folder, a process in it and its log."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix=f"navigator-{name}-")
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def log(self):
        try:
            with open(self.path("log"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def spawn(self, *argv):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)

    def require_running(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n" + self.log())

    def stop(self, how=signal.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Pdns(Process):
    """One pdns_server; `launch` is its part of the configuration that names the backend."""

    def __init__(self, name, launch, extra="", address="127.0.0.1", port=None):
        super().__init__(name)
        self.address = address
        self.port = port or free_port(address)
        self.web_port = free_port()
        self.launch = launch
        self.configure(extra)

    def configure(self, extra):
        self.write("pdns.conf", f"""\
{self.launch}
local-address={self.address}
local-port={self.port}
query-local-address={self.address}
socket-dir={self.folder}
setuid=
setgid=
guardian=no
daemon=no
disable-syslog=yes
write-pid=no
loglevel=7
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-metadata-cache-ttl=0
dnssec-key-cache-ttl=0
zone-cache-refresh-interval=1
security-poll-suffix=
xfr-cycle-interval=1
allow-axfr-ips=127.0.0.0/8
webserver=yes
webserver-address=127.0.0.1
webserver-port={self.web_port}
api=yes
api-key=test
{extra}
""")

    def start(self):
        self.spawn("pdns_server", "--config-dir=" + self.folder)

        def ready():
            self.require_running()
            return "status:" in self.dig("ready.invalid", "SOA", "+tries=1", "+time=1", check=False)

        wait_for(f"{self.name} answers", ready)

    def dig(self, name, rtype="A", *options, check=True):
        return run("dig", f"@{self.address}", "-p", str(self.port), "+norecurse", "+tries=2", "+time=3", name, rtype,
                   *options, check=check).stdout

    def short(self, name, rtype="A", *options):
        return sorted(self.dig(name, rtype, "+short", *options).splitlines())

    def answer(self, name, rtype, *options):
        """Status, flags and the three sections without what differs between any two queries."""
        lines = self.dig(name, rtype, "+noquestion", "+nocmd", "+nostats", *options).splitlines()
        kept = []
        for line in lines:
            if line.startswith(";; ->>HEADER"):
                kept.append("status " + line.split("status: ")[1].split(",")[0])
            elif line.startswith(";; flags"):
                kept.append(line)
            elif line.startswith(";; ") and line.endswith("SECTION:"):
                kept.append(line)
            elif line and not line.startswith(";"):
                kept.append(" ".join(line.split()))
        return sorted_sections(kept)

    def axfr(self, zone, *options):
        """The zone's records, each once and sorted (the SOA that ends the transfer is no second one)."""
        text = self.dig(zone, "AXFR", "+onesoa", *options, check=False)
        return sorted({" ".join(line.split()) for line in text.splitlines() if line and not line.startswith(";")})

    def serial(self, zone):
        """None while there is no answer."""
        soa = self.dig(zone, "SOA", "+short", check=False).split()
        return int(soa[2]) if len(soa) == 7 else None

    def pdnsutil(self, *arguments, check=True, stdin=None):
        return run("pdnsutil", "--config-dir=" + self.folder, *arguments, check=check, stdin=stdin)

    def control(self, *arguments, check=True):
        return run("pdns_control", "--config-dir=" + self.folder, *arguments, check=check).stdout

    def load(self, zone, text):
        return self.pdnsutil("load-zone", zone, self.write("load.zone", text))


def sorted_sections(lines):
    out = []
    section = []
    for line in lines + [";; END SECTION:"]:
        if line.startswith(";; ") and line.endswith("SECTION:"):
            out += sorted(section) + [line]
            section = []
        else:
            section.append(line)
    return out[:-1]


class Sqlite(Pdns):
    """pdns_server on PowerDNS's own SQLite backend: the primary, the secondary, and the yardstick."""

    def __init__(self, name, extra="", **where):
        super().__init__(name, "", "", **where)
        self.database = self.path("pdns.sqlite3")
        with sqlite3.connect(self.database) as connection, open(SCHEMA, encoding="utf-8") as schema:
            connection.executescript(schema.read())
        connection.close()
        self.launch = f"launch=gsqlite3\ngsqlite3-database={self.database}\ngsqlite3-dnssec=yes"
        self.configure(extra)

    def sql(self, statement, values=()):
        connection = sqlite3.connect(self.database, timeout=20)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Navigator(Process):
    def __init__(self, name="navigator"):
        super().__init__(name)
        self.api = self.path("api.sock")
        self.remote = self.path("remote.sock")
        self.config = self.write("navigator.yaml", f"""\
store: {{ url: "sqlite://{self.path('navigator.db')}" }}
remote: {{ unix: {self.remote} }}
api: {{ unix: {self.api} }}
""")

    def pdns(self, name, extra="", **where):
        """A pdns_server with this Navigator behind it."""
        launch = f"launch=remote\nremote-connection-string=unix:path={self.remote},timeout=5000\nremote-dnssec=yes"
        return Pdns(name, launch, extra, **where)

    def command(self, *arguments, check=True):
        return run(NAVIGATOR, "--config", self.config, *arguments, check=check)

    def import_zone(self, zone, text, check=True):
        return self.command("zone", "import", zone, self.write("import.zone", text), check=check)

    def start(self):
        self.spawn(NAVIGATOR, "--config", self.config, "serve")

        def ready():
            self.require_running()
            return self.call("GET", "/healthz")[0] == 200

        wait_for("navigator is healthy", ready)

    def call(self, method, target, body=None):
        connection = UnixConnection(self.api)
        try:
            connection.request(method, target, body=None if body is None else json.dumps(body))
            response = connection.getresponse()
            text = response.read().decode()
            return response.status, json.loads(text) if text.startswith("{") else text
        except (ConnectionError, FileNotFoundError, http.client.HTTPException) as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def must(self, method, target, body=None):
        status, answer = self.call(method, target, body)
        if status >= 300:
            raise AssertionError(f"{method} {target}: {status} {answer}")
        return answer

    def zone(self, name):
        return self.must("GET", f"/v1/zones/{name}")
