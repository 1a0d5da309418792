"""One Navigator that issues, a pdns_server on its store, and pebble as the CA, on loopback. Between Navigator and
pebble may stand a TLS proxy (ca_proxy.py), which counts what is asked and strikes at a chosen request."""
import http.client
import json
import os
import shutil
import socket

import daemons
import navigator_daemon
import powerdns_server

TOPOLOGY = """\
name: certificates
domain: stream.example
mesh: {prefix4: 10.200.0.0/16, prefix6: "fd00:c0de:5::/48", shape: links}
sites:
  - {name: ams, provider: north}
nodes:
  - {name: dns-ams, site: ams, role: central, underlay: [198.18.1.10]}
  - {name: edge-ams-1, site: ams, role: edge, underlay: [198.18.1.11]}
links:
  - {ends: [dns-ams, edge-ams-1], cost: 5}
clusters:
  - name: ams
    site: ams
    nodes: [edge-ams-1]
    monitor: {type: tcp, port: 443, interval_ms: 500, timeout_ms: 400, consecutive_up: 2, consecutive_down: 2}
"""
ZONE = """\
$ORIGIN stream.example.
@ 60 IN SOA ns1 hostmaster 1 3600 600 86400 5
@ 60 IN NS ns1
ns1 60 IN A 127.0.0.1
"""


def ask(host, port, context, method, target, body=None):
    """Status and text of one request over TLS, as an edge makes it."""
    connection = http.client.HTTPSConnection(host, port, context=context, timeout=20)
    try:
        connection.request(method, target, body=None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def programs_are_there():
    return bool(shutil.which("pebble") and shutil.which("pdns_server", path=os.environ.get("PATH", "") + ":/usr/sbin")
                and shutil.which("openssl") and os.path.exists(navigator_daemon.NAVIGATOR))


CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def make_tls(folder, name="server"):
    """A root (ca.pem) and a certificate of localhost below it."""
    daemons.run("openssl", "req", "-x509", *CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
                "/CN=Test root", cwd=folder.folder)
    sign(folder, name, "DNS:localhost,IP:127.0.0.1")


def sign(folder, name, names, days=2):
    """NAME.pem and NAME.key by the root of make_tls(); `names` as a subjectAltName has them."""
    daemons.run("openssl", "req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
                cwd=folder.folder)
    folder.write("extensions", f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    daemons.run("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", str(days), "-extfile", "extensions", "-out", f"{name}.pem",
                cwd=folder.folder)


def tls(folder, name="server"):
    """The member `tls` of settings."""
    path = folder.path
    return f"tls: {{ certificate: {path(name + '.pem')}, key: {path(name + '.key')}, ca: {path('ca.pem')} }}"


class Pebble:
    """`dns_port` is the server that its validations ask; refuses a tenth of the nonces."""

    def __init__(self, folder, dns_port, reject_nonces=10, lifetime_s=90 * 86400):
        self.folder, self.dns_port, self.reject_nonces, self.lifetime_s = folder, dns_port, reject_nonces, lifetime_s
        self.port, self.management = daemons.free_port(), daemons.free_port()
        self.daemon = None

    def start(self):
        config = self.folder.write("pebble.json", json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": self.folder.path("server.pem"), "privateKey": self.folder.path("server.key"),
            "httpPort": 5002, "tlsPort": 5001, "certificateValidityPeriod": self.lifetime_s}}))
        environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(self.reject_nonces),
                       "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_ORDERS_PER_PAGE": "500"}
        self.daemon = daemons.Daemon(["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{self.dns_port}"],
                                     self.folder.path("pebble.log"), env=environment)

        def answers():
            self.daemon.check()
            return accepts(self.port)

        daemons.wait_for("pebble listens", answers)

    def stop(self):
        if self.daemon:
            self.daemon.stop()
            self.daemon = None


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def all_certificates(navigator):
    status, body = navigator.call("GET", "/v1/certificates")
    assert status == 200, body
    return json.loads(body)["certificates"]


class CertificateStack:
    """`ca_port` is where Navigator finds the CA: pebble itself, or a proxy that the caller starts before it. `port` is
    its API's over TLS; `acme` goes into that section, `extra` below everything, `pdns` into pdns.conf."""

    def __init__(self, ca_port=None, acme="", reject_nonces=10, extra="", pdns=None):
        self.port = daemons.free_port()
        self.files = daemons.Folder(prefix="navigator-acme-")
        make_tls(self.files)
        remote = self.files.path("remote.sock")
        self.pdns = powerdns_server.PowerDns(self.files, "pdns", powerdns_server.unix(remote, 5000), pdns)
        self.pebble = Pebble(self.files, self.pdns.port, reject_nonces)
        self.navigator = navigator_daemon.Navigator(
            self.files, [self.pdns.control], extra=self.settings(ca_port or self.pebble.port, acme) + extra,
            api=f'listen: "127.0.0.1:{self.port}", {tls(self.files)}')
        self.command = self.navigator.command

    def settings(self, ca_port, acme):
        folder = self.files
        return f"""\
node: dns-ams
topology: {folder.write("topology.yaml", TOPOLOGY)}
sites:
  - {{name: ams, node: dns-ams, address: 127.0.0.1, port: {self.pdns.port}}}
acme:
  directory: "https://localhost:{ca_port}/dir"
  ca_bundle: {folder.path("ca.pem")}
  contact: "mailto:ops@example.org"
  master_key: {folder.path("master.key")}
  first_retry: 1s
{acme}"""

    def start(self):
        self.navigator.start()
        # Before PowerDNS, which reads the list of zones when it starts.
        self.command("zone", "import", "stream.example", self.files.write("stream.example.zone", ZONE))
        self.pdns.start()
        self.pebble.start()

    def close(self):
        self.pebble.stop()
        self.pdns.stop()
        self.navigator.stop()
        self.files.remove()

    def certificates(self):
        return all_certificates(self.navigator)

    def certificates_of(self, label):
        return [one for one in self.certificates() if f"{label}.stream.example" in one["names"]]

    def txt(self, name):
        done = daemons.run("dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short", "+time=2", "+tries=1", name, "TXT",
                           check=False)
        return done.stdout.split()
