"""A primary that issues and replicas behind it, each with its pdns_server; what a replica hears of its primary goes
through a relay that delays it. pebble looks at the last site."""
import selectors
import socket
import threading
import time
import unittest

import certificate_stack
import daemons
import navigator_daemon
import powerdns_server


class SlowRelay:
    """Passes octets on, those to the client `delay_s` later. One thread; bounded by the connections of one replica."""

    def __init__(self, target):
        self.target, self.delay_s, self.is_cut = target, 0.0, False
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

    def cut(self):
        """Nothing passes any more: both ends are still there, as behind a link that is down. mend() ends it."""
        self.is_cut = True

    def mend(self):
        self.is_cut = False

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
            if self.is_cut:
                self.stopped.wait(0.02)
                continue
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


class SitesTestCase(unittest.TestCase):
    gate_timeout_s = 30  # the default

    def up(self, replicas):
        self.shared = daemons.Folder(prefix="navigator-acme-")
        self.addCleanup(self.shared.remove)
        certificate_stack.make_tls(self.shared)
        self.sites = [Site(f"s{number}") for number in range(replicas + 1)]
        for site in self.sites:
            self.addCleanup(site.close)
            certificate_stack.sign(self.shared, site.name, f"DNS:node-{site.name}")
        # The CA looks at the last site, which is the one that is behind.
        self.pebble = certificate_stack.Pebble(self.shared, self.sites[-1].pdns.port)
        self.addCleanup(self.pebble.stop)
        self.port = port = daemons.free_port()
        tls = lambda name: certificate_stack.tls(self.shared, name)
        self.relays = []
        for number, site in enumerate(self.sites):
            api = f"unix: {site.files.path('api.sock')}"
            extra = f"api: {{ {api}, listen: \"127.0.0.1:{port}\", {tls(site.name)} }}\n" if number == 0 else (
                f"api: {{ {api} }}\n"
                f"replica: {{ primary: \"https://127.0.0.1:{self.relay(port)}\", node: node-s0, {tls(site.name)} }}\n")
            site.configure(extra + self.rows() + (self.acme(site) if number == 0 else ""))
        self.start_ca()
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

    def start_ca(self):
        self.pebble.start()

    def relay(self, port):
        relay = SlowRelay(port)
        self.addCleanup(relay.close)
        self.relays.append(relay)
        return relay.port

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
