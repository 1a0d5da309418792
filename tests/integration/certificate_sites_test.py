#!/usr/bin/env python3
"""Certificates over several sites: the CA looks at the site that is behind, and never sees a value missing.

A primary and replicas, each with its pdns_server; what a replica hears of its primary goes through a relay that delays
it. A few orders of each kind by default; SOVEREIGN_LONG=1: 20 for each delay, and 200 names at five Navigators.
"""
import json
import os
import selectors
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns_server  # noqa: E402

LONG = os.environ.get("SOVEREIGN_LONG") == "1"
DELAYS_S = (0.1, 0.5, 1, 2, 5) if LONG else (0.1, 2)
ORDERS = 20 if LONG else 2
NAMES = 200 if LONG else 20


class SlowRelay:
    """Passes octets on, those to the client `delay_s` later. One thread; bounded by the connections of one replica."""

    def __init__(self, target):
        self.target, self.delay_s = target, 0.0
        self.listener = socket.create_server(("127.0.0.1", daemons.free_port()))
        self.port = self.listener.getsockname()[1]
        self.stopped = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.other, self.waiting = {}, []  # waiting: (when, to whom, octets; b"" closes)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.stopped.set()
        self.thread.join()
        for one in [*self.other, self.listener]:
            one.close()
        self.selector.close()

    def _accept(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        for one, peer, is_server in ((client, server, False), (server, client, True)):
            self.other[one] = peer
            self.selector.register(one, selectors.EVENT_READ, is_server)

    def _drop(self, one):
        for end in (one, self.other.get(one)):
            if end in self.other:
                self.selector.unregister(end)
                del self.other[end]
                end.close()

    def _take(self, one, is_server):
        try:
            octets = one.recv(65536)
        except OSError:
            octets = b""
        peer = self.other.get(one)
        if not is_server or not octets:
            self._send(peer, octets)
        else:
            self.waiting.append((time.monotonic() + self.delay_s, peer, octets))

    def _send(self, peer, octets):
        if peer not in self.other:
            return
        try:
            if not octets:
                raise OSError("the other end is gone")
            peer.sendall(octets)
        except OSError:
            self._drop(peer)

    def _run(self):
        while not self.stopped.is_set():
            for key, _ in self.selector.select(0.02):
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.other:
                    self._take(key.fileobj, key.data)
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                _, peer, octets = self.waiting.pop(0)
                self._send(peer, octets)


class Site:
    """A Navigator and its pdns_server in a folder of their own."""

    def __init__(self, name, address="127.0.0.1"):
        self.name = name
        self.files = daemons.Folder(prefix=f"navigator-site-{name}-")
        backend = powerdns_server.unix(self.files.path("remote.sock"), 5000)
        self.pdns = powerdns_server.PowerDns(self.files, "pdns", backend)
        self.navigator = None

    def configure(self, extra):
        self.navigator = navigator_daemon.Navigator(self.files, [self.pdns.control])
        text = f"""\
node: node-{self.name}
store: {{ url: "sqlite://{self.files.path('navigator.db')}" }}
remote: {{ unix: {self.navigator.remote} }}
powerdns: {{ control: [{self.pdns.control}] }}
topology: {self.files.write("topology.yaml", certificate_stack.TOPOLOGY)}
{extra}"""
        self.files.write("navigator.yaml", text)

    def stop(self):
        self.pdns.stop()
        if self.navigator:
            self.navigator.stop()

    def close(self):
        self.stop()
        self.files.remove()


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class CertificateSitesTest(unittest.TestCase):
    gate_timeout_s = 30  # the default

    def up(self, replicas):
        self.shared = daemons.Folder(prefix="navigator-acme-")
        self.addCleanup(self.shared.remove)
        certificate_stack.make_tls(self.shared)
        self.sites = [Site(f"s{number}") for number in range(replicas + 1)]
        for site in self.sites:
            self.addCleanup(site.close)
            self.node_certificate(site.name)
        # The CA looks at the last site, which is the one that is behind.
        self.pebble = certificate_stack.Pebble(self.shared, self.sites[-1].pdns.port)
        self.addCleanup(self.pebble.stop)
        port, path = daemons.free_port(), self.shared.path
        files = lambda name: f"certificate: {path(name + '.pem')}, key: {path(name + '.key')}, ca: {path('ca.pem')}"
        tls = lambda name: f"tls: {{ {files(name)} }}"
        self.relays = []
        for number, site in enumerate(self.sites):
            api = f"unix: {site.files.path('api.sock')}"
            extra = f"api: {{ {api}, listen: \"127.0.0.1:{port}\", {tls(site.name)} }}\n" if number == 0 else (
                f"api: {{ {api} }}\n"
                f"replica: {{ primary: \"https://127.0.0.1:{self.relay(port)}\", node: node-s0, {tls(site.name)} }}\n")
            site.configure(extra + self.rows() + (self.acme(site) if number == 0 else ""))
        self.pebble.start()
        self.primary = self.sites[0].navigator
        for site in self.sites:
            site.navigator.start()
        self.primary.command("zone", "import", "stream.example",
                             self.shared.write("stream.example.zone", certificate_stack.ZONE))
        # PowerDNS reads the list of zones when it starts.
        for site in self.sites:
            daemons.wait_for(f"{site.name} has the zone",
                             lambda one=site: "stream.example" in one.navigator.call("GET", "/v1/zones")[1])
            site.pdns.start()

    def relay(self, port):
        relay = SlowRelay(port)
        self.addCleanup(relay.close)
        self.relays.append(relay)
        return relay.port

    def node_certificate(self, name):
        path = self.shared.path
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        daemons.run("openssl", "req", *curve, "-subj", f"/CN=node-{name}", "-keyout", path(name + ".key"), "-out",
                    path(name + ".csr"))
        extensions = self.shared.write("extensions", f"subjectAltName=DNS:node-{name}\n")
        daemons.run("openssl", "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey",
                    path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                    path(name + ".pem"))

    def rows(self):
        return "sites:\n" + "".join(
            f"  - {{name: {one.name}, node: node-{one.name}, address: 127.0.0.1, port: {one.pdns.port}}}\n"
            for one in self.sites)

    def acme(self, site):
        """Of the primary alone: a replica refuses to start with it."""
        return f"""\
acme:
  directory: "https://localhost:{self.pebble.port}/dir"
  ca_bundle: {self.shared.path("ca.pem")}
  contact: "mailto:ops@example.org"
  master_key: {site.files.path("master.key")}
  first_retry: 1s
  gate_timeout: {self.gate_timeout_s}s
"""

    def create(self, label):
        self.primary.command("tenant", "create", label, "--plan", "pro", "--primary", "ams")

    def certificates(self, navigator=None):
        return certificate_stack.all_certificates(navigator or self.primary)

    def wait_for_certificates(self, labels, seconds):
        wanted = {f"{label}.stream.example" for label in labels}

        def there():
            return wanted <= {name for one in self.certificates() for name in one["names"]}

        try:
            daemons.wait_for(f"{len(wanted)} certificates", there, seconds, 0.1)
        except AssertionError as error:
            log = self.sites[0].files.log("navigator.log")
            raise AssertionError(f"{error}\n{log[-3000:]}\n{self.shared.log('pebble.log')[-2000:]}") from None

    def asked_to_validate(self):
        return self.shared.log("pebble.log").count("Pulled a task from the Tasks queue")

    def refused_by_the_ca(self):
        """Authorizations that the CA found no right value for."""
        return [line for line in self.shared.log("pebble.log").splitlines()
                if "set INVALID" in line or "Incorrect TXT" in line or "No TXT records" in line]

    def orders_at_the_ca(self):
        return sum("Added order" in line for line in self.shared.log("pebble.log").splitlines())

    def test_five_navigators_one_order_for_each_name(self):
        self.up(4)
        labels = [f"name{number}" for number in range(NAMES)]
        for label in labels:
            self.create(label)
        self.wait_for_certificates(labels, 60 + NAMES)
        self.assertEqual(self.orders_at_the_ca(), NAMES)
        self.assertEqual(self.refused_by_the_ca(), [])
        print(f"    {NAMES} names at 5 Navigators: {self.orders_at_the_ca()} orders at the CA", flush=True)

    def test_a_site_that_is_behind_delays_and_fails_nothing(self):
        self.up(2)
        for delay_s in DELAYS_S:
            self.relays[-1].delay_s = delay_s
            labels = [f"late{str(delay_s).replace('.', '-')}x{number}" for number in range(ORDERS)]
            begin = time.monotonic()
            for label in labels:
                self.create(label)
            self.wait_for_certificates(labels, 60 + 10 * delay_s)
            self.assertEqual(self.refused_by_the_ca(), [])
            print(f"    {delay_s} s behind: {ORDERS} certificates in {time.monotonic() - begin:.1f} s", flush=True)

    def json(self, *words):
        return json.loads(self.primary.command(*words, "--json").stdout)

    def attempts(self, label):
        """Of which kind they were and why, the oldest first."""
        return [(one["outcome"], one["detail"]) for one in reversed(self.json("cert", "why", label)["attempts"])]

    def service_of(self, site, label):
        [row] = [one for one in self.json("cert", "why", label)["sites"] if one["site"] == site.name]
        return row

    def test_a_dead_site_defers_until_it_is_out_of_service(self):
        self.gate_timeout_s = 2
        self.up(2)
        self.create("before")
        self.wait_for_certificates(["before"], 60)
        before = self.certificates()
        challenges = self.asked_to_validate()
        self.assertGreater(challenges, 0)
        # The middle one dies: the CA's own stays.
        dead = self.sites[1]
        dead.stop()
        labels = [f"dead{number}" for number in range(ORDERS)]
        for label in labels:
            self.create(label)
        # First it is in service, and orders wait: the reason names the site, and the CA was not asked to look.
        daemons.wait_for("an order is deferred", lambda: self.attempts(labels[0]))
        self.assertTrue(self.service_of(dead, labels[0])["in_service"], "a dead site is missed for ten seconds")
        for label in labels[:2]:  # of twenty, some have their first turn after the ten seconds
            daemons.wait_for(f"{label} is deferred", lambda name=label: self.attempts(name))
            outcome, reason = self.attempts(label)[0]
            self.assertEqual(outcome, "deferred", reason)
            self.assertIn(dead.name, reason)
            self.assertNotIn("s0", reason)
            self.assertNotIn("s2", reason)
        self.assertEqual(self.asked_to_validate(), challenges)
        self.assertEqual(self.certificates(), before)
        deferred = labels[:2]
        # Then it is out of service, and only then there are certificates.
        self.wait_for_certificates(labels, 120)
        for label in labels:
            self.assertFalse(self.service_of(dead, label)["in_service"])
            kinds = [outcome for outcome, _ in self.attempts(label)]
            self.assertLessEqual(set(kinds[:-1]), {"deferred"}, kinds)
            self.assertGreaterEqual(len(kinds), 2 if label in deferred else 1)
            self.assertEqual(kinds[-1], "issued", kinds)
        self.assertEqual(self.refused_by_the_ca(), [])
        print(f"    a dead site: orders deferred, then {len(labels)} issued without it", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
