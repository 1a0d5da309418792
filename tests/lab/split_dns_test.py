"""A machine of the mesh asks the mesh's name servers for the mesh's names alone: as docs/mesh.md says, with a real
resolver in a node's namespace, two real name servers at one anycast address, and another name server outside for the
rest. The resolver is systemd-resolved where there is one (SYSTEMD_RESOLVED names it elsewhere), and otherwise unbound
with the same routing of domains. Skipped without root, the mesh's programs, pdns_server, a resolver and the binaries
that PRIVATEER and NAVIGATOR name."""

import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import threading
import unittest

from support import ROOT, mesh_ready

from daemons import wait_until
from dns_client import parse
from namespaces import LabError
from small_mesh import CONTROLLER, UNDERLAY, SmallMesh

NAVIGATOR = os.environ.get("NAVIGATOR", str(ROOT / "build/release/bin/navigator"))
SBIN = os.environ.get("PATH", "") + ":/usr/sbin"
RESOLVED = os.environ.get("SYSTEMD_RESOLVED", "/lib/systemd/systemd-resolved")
UNBOUND = shutil.which("unbound", path=SBIN)
PDNS = shutil.which("pdns_server", path=SBIN)
ANYCAST, OUTSIDE, ELSEWHERE = "10.53.0.53", f"{UNDERLAY}.100", "192.0.2.7"
# ann is cat's nearest, and on nobody's way to bob.
LINKS = [("ann", "bob", 30), ("ann", "cat", 5), ("bob", "cat", 20)]
USER = 64053  # systemd-resolved wants one of its own

# In a mount namespace of its own, with nothing of this machine's: no bus, no settings, no networkd but this file of it.
START_RESOLVED = """
mount -t tmpfs none /run && mkdir -p /run/systemd/netif/links /run/systemd/resolve
chown {user}:{user} /run/systemd/resolve
mount -t tmpfs none /etc/systemd && cp {folder}/resolved.conf /etc/systemd/
for file in passwd group; do cp {folder}/$file /run/$file && mount --bind /run/$file /etc/$file; done
cp {folder}/link /run/systemd/netif/links/$(ip -o link show under | cut -d: -f1)
exec {program}
"""


class Outside(threading.Thread):
    """A name server that has an address for every name, and remembers what it was asked."""

    def __init__(self, spaces, where):
        super().__init__(daemon=True)
        self.asked = []
        with spaces.entered(CONTROLLER):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((where, 53))

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            end, labels = 12, []
            while query[end]:
                labels.append(query[end + 1:end + 1 + query[end]].decode("ascii", "replace"))
                end += 1 + query[end]
            self.asked.append(".".join(labels).lower())
            is_a = query[end + 1:end + 3] == b"\0\1"
            answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + socket.inet_aton(ELSEWHERE) if is_a else b""
            self.socket.sendto(query[:2] + b"\x85\x80" + struct.pack("!HHHH", 1, int(is_a), 0, 0)
                               + query[12:end + 5] + answer, client)


@unittest.skipUnless(mesh_ready() and PDNS and (os.path.exists(RESOLVED) or UNBOUND) and os.access(NAVIGATOR, os.X_OK),
                     "needs root, the mesh's programs, pdns_server, systemd-resolved or unbound, and NAVIGATOR")
class SplitDnsTest(unittest.TestCase):
    def setUp(self):
        self.mesh = mesh = SmallMesh("sovsplit-", ("ann", "bob", "cat"), LINKS)
        self.addCleanup(mesh.close)
        mesh.write_topology(mesh.topology() + f"services:\n  - {{name: names, addresses: [{ANYCAST}], "
                            "nodes: [ann, bob], check: {type: dns, port: 53, name: internal, "
                            "interval_ms: 300, timeout_ms: 250, rise: 2, fall: 2}}\n")
        for node in ("ann", "bob"):
            file = pathlib.Path(mesh.path(node, "privateer.yaml"))
            settings = json.loads(file.read_text(encoding="utf-8"))
            settings["names"] = {"navigator": mesh.path(node, "api.sock")}
            file.write_text(json.dumps(settings), encoding="utf-8")
        self.outside = Outside(mesh.spaces, OUTSIDE)
        self.outside.start()
        self.addCleanup(self.outside.socket.close)

    def serve_names(self, node):
        mesh, path = self.mesh, self.mesh.path
        pathlib.Path(path(node, "navigator.yaml")).write_text(json.dumps({
            "store": {"url": "sqlite://" + path(node, "navigator.db")}, "remote": {"unix": path(node, "remote.sock")},
            "api": {"unix": path(node, "api.sock")}, "powerdns": {"control": []}}), encoding="utf-8")
        mesh.daemons.start(node, "navigator", NAVIGATOR, "--config", path(node, "navigator.yaml"), "serve")
        wait_until("Navigator listens", lambda: os.path.exists(path(node, "remote.sock")), 20, 0.05)
        folder = pathlib.Path(path(node, "pdns"))
        folder.mkdir()
        lines = {"launch": "remote", "remote-connection-string": f"unix:path={path(node, 'remote.sock')},timeout=5000",
                 "local-address": "0.0.0.0", "local-port": 53, "socket-dir": folder, "setuid": "", "setgid": "",
                 "guardian": "no", "daemon": "no", "disable-syslog": "yes", "write-pid": "no",
                 "security-poll-suffix": "", "loglevel": 6, "log-dns-queries": "yes", "cache-ttl": 0,
                 "query-cache-ttl": 0, "negquery-cache-ttl": 0, "zone-cache-refresh-interval": 0}
        (folder / "pdns.conf").write_text("".join(f"{key}={value}\n" for key, value in lines.items()), encoding="ascii")
        mesh.daemons.start(node, "pdns", PDNS, f"--config-dir={folder}")

    def start_resolver(self):
        """Returns its address in cat's namespace."""
        mesh, folder = self.mesh, pathlib.Path(self.mesh.path("cat", "resolver"))
        folder.mkdir()
        if os.path.exists(RESOLVED):
            (folder / "resolved.conf").write_text(
                f"[Resolve]\nDNS={ANYCAST}\nDomains=~internal ~202.10.in-addr.arpa\nFallbackDNS=\nLLMNR=no\n"
                "MulticastDNS=no\nCache=no\nDNSSEC=no\n", encoding="ascii")
            # What systemd-networkd says of an uplink with DNS={OUTSIDE} and Domains=~.
            (folder / "link").write_text("ADMIN_STATE=configured\nOPER_STATE=routable\nCARRIER_STATE=carrier\n"
                                         f"DNS={OUTSIDE}\nROUTE_DOMAINS=.\n", encoding="ascii")
            for name, line in (("passwd", f"systemd-resolve:x:{USER}:{USER}::/:/usr/sbin/nologin\n"),
                               ("group", f"systemd-resolve:x:{USER}:\n")):
                (folder / name).write_text(pathlib.Path("/etc", name).read_text(encoding="utf-8") + line,
                                           encoding="utf-8")
            script = START_RESOLVED.format(user=USER, folder=folder, program=RESOLVED)
            mesh.daemons.start("cat", "resolver", "sh", "-ec", script)
            return "127.0.0.53"
        zones = "".join(f'{kind}:\n  name: "{zone}"\n  {what}: {where}\n' for kind, zone, what, where in (
            ("stub-zone", "internal", "stub-addr", ANYCAST), ("stub-zone", "202.10.in-addr.arpa", "stub-addr", ANYCAST),
            ("forward-zone", ".", "forward-addr", OUTSIDE)))
        (folder / "unbound.conf").write_text(
            'server:\n  interface: 127.0.0.53\n  do-daemonize: no\n  username: ""\n  chroot: ""\n  use-syslog: no\n'
            f'  pidfile: ""\n  directory: "{folder}"\n  module-config: "iterator"\n  do-not-query-localhost: no\n'
            '  cache-max-ttl: 1\n  cache-max-negative-ttl: 1\n  infra-host-ttl: 1\n'
            '  local-zone: "internal." nodefault\n'
            f'  local-zone: "10.in-addr.arpa." nodefault\nremote-control:\n  control-enable: no\n{zones}',
            encoding="ascii")
        mesh.daemons.start("cat", "resolver", UNBOUND, "-c", str(folder / "unbound.conf"))
        return "127.0.0.53"

    def ask(self, server, name, kind, seconds):
        """What a stub resolver sends: recursion is desired. The bytes of the answer, or None."""
        with self.mesh.spaces.entered("cat"):
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        words = b"".join(bytes([len(word)]) + word.encode("ascii") for word in name.split("."))
        with client:
            client.settimeout(seconds)
            try:
                client.sendto(b"\x52\x53\1\0\0\1\0\0\0\0\0\0" + words + struct.pack("!BHH", 0, kind, 1), (server, 53))
                return client.recv(4096)
            except OSError:
                return None

    def values(self, server, name, seconds=1.0):
        answer = self.ask(server, name, 1, seconds)
        return parse(answer).values if answer else None

    def mesh_was_asked(self, word):
        return any(word in pathlib.Path(self.mesh.path(node, "pdns.log")).read_text(encoding="utf-8", errors="replace")
                   for node in ("ann", "bob"))

    def test_the_meshs_names_are_asked_of_the_mesh_and_of_it_alone(self):
        mesh = self.mesh
        for node in ("ann", "bob"):
            self.serve_names(node)
        mesh.up()
        mesh.wait("both announce the name service", lambda: all(
            service["announced"] for node in ("ann", "bob") for service in mesh.status(node)["anycast"]), 30)
        mesh.wait("cat goes to ann for it", lambda: mesh.route("cat", ANYCAST) == "wg-ann", 20, nodes=["cat"])
        wait_until("the anycast address answers", lambda: self.values(ANYCAST, "bob.internal") == ["10.202.0.2"], 20)
        server = self.start_resolver()
        try:
            wait_until("the resolver answers", lambda: self.values(server, "bob.internal") == ["10.202.0.2"], 20)
        except LabError as error:
            raise AssertionError(f"{error}\n{mesh.daemons.tail('cat', 'resolver', 30)}") from None
        self.assertEqual(self.values(server, "ann.here.internal"), ["10.202.0.1"])
        self.assertEqual(self.values(server, "www.example.net"), [ELSEWHERE])
        self.assertIn(b"\x03bob\x08internal", self.ask(server, "2.0.202.10.in-addr.arpa", 12, 3))
        # Each name went one way alone.
        self.assertIn("www.example.net", self.outside.asked)
        self.assertEqual([name for name in self.outside.asked if name.endswith(("internal", "10.in-addr.arpa"))], [])
        self.assertTrue(self.mesh_was_asked("bob.internal"))
        self.assertFalse(self.mesh_was_asked("example.net"))
        # The nearest dies. Its agent withdraws the address, and the other is the nearest.
        mesh.daemons.stop("ann", "pdns", signal.SIGKILL)
        wait_until("the name answers again", lambda: self.values(server, "ann.internal", 3) == ["10.202.0.1"], 20, 0.1)
        mesh.wait("cat goes to bob", lambda: mesh.route("cat", ANYCAST) == "wg-bob", 20, nodes=["cat"])
        for _ in range(5):
            self.assertEqual(self.values(server, "bob.internal", 3), ["10.202.0.2"])
        self.assertEqual(self.values(server, "other.example.net"), [ELSEWHERE])
        print(f"  resolver: {RESOLVED if os.path.exists(RESOLVED) else UNBOUND}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
