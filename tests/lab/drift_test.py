"""What somebody damages by hand on a node is repaired by its agent, and what is not the mesh's is never touched.
Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER names."""

import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from support import mesh_ready

from daemons import wait_until
from namespaces import LabError, kill_and_wait
from small_mesh import SmallMesh

BAR = 2.0           # seconds that a repair may take
TRIES = 3           # the best counts: this machine may have other work
LIMIT = 15.0        # of each try
FOREIGN = """
table inet mine { chain c { type filter hook input priority 10; tcp dport 9 drop; }; }
"""


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class DriftTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovdrift-", ("ann", "bob"))
        self.addCleanup(self.mesh.close)
        self.mesh.up()
        self.space = self.mesh.spaces.name("ann")
        self.key = self.mesh.status("bob")["public_key"]
        self.bird = self.mesh.path("ann", "bird.ctl")

    # One word each for what people type

    def run_inside(self, *words, check=True):
        return subprocess.run(self.mesh.spaces.argv("ann", *words), capture_output=True, text=True, check=check).stdout

    def ip(self, *words):
        subprocess.run(("ip", "-n", self.space, *words), check=True, capture_output=True)

    def text(self, *words):
        return subprocess.run(("ip", "-n", self.space, *words), capture_output=True, text=True, check=False).stdout

    def wg(self, *words):
        self.run_inside("wg", "set", "wg-bob", *words)

    def wg_says(self, what):
        return self.run_inside("wg", "show", "wg-bob", what, check=False)

    def birdc(self, *words):
        return subprocess.run(("birdc", "-s", self.bird, *words), capture_output=True, text=True, check=False).stdout

    def nft(self, text):
        self.mesh.spaces.nft("ann", text)

    def rules(self):
        return self.run_inside("nft", "-s", "list", "table", "inet", "privateer", check=False)

    def sysctl(self, name, value=None):
        if value is not None:
            self.run_inside("sysctl", "-qw", f"{name}={value}")
        return self.run_inside("sysctl", "-n", name).strip()

    def pid_of(self, *words):
        for pid in self.mesh.spaces.pids(self.space):
            try:
                argv = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except FileNotFoundError:
                continue
            if os.path.basename(argv[0].decode()) == words[0] and all(word.encode() in argv for word in words[1:]):
                return pid
        return None

    def kill(self, *words):
        kill_and_wait([self.pid_of(*words)], signal.SIGKILL, 5)

    def other_key(self):
        file = self.mesh.path("ann", "other.key")
        private = subprocess.run(("wg", "genkey"), capture_output=True, text=True, check=True).stdout
        pathlib.Path(file).write_text(private, encoding="ascii")
        return file

    def reconfigure(self):
        """BIRD with a file of somebody else's, in which OSPF has no interfaces."""
        other = pathlib.Path(self.mesh.path("ann", "other.conf"))
        other.write_text("router id 10.202.0.1;\nprotocol device {}\n", encoding="ascii")
        self.birdc("configure", f'"{other}"')

    def rename(self, name):
        """In one go: the agent is quick to set it up again, and then it cannot be renamed."""
        self.mesh.spaces.ip("ann", "link set wg-bob down", f"link set wg-bob name {name}")

    def devices(self):
        link = lambda: self.text("link", "show", "wg-bob")
        addresses = lambda: self.text("addr", "show", "wg-bob")
        own = next(word for word in addresses().split() if word.startswith("fe80::"))
        return {
            "device deleted": (lambda: self.ip("link", "del", "wg-bob"), link),
            "device down": (lambda: self.ip("link", "set", "wg-bob", "down"), lambda: ",UP" in link()),
            "device renamed": (lambda: self.rename("other0"),
                               lambda: ",UP" in link() and "other0" not in self.text("link")),
            "device renamed to one of ours": (lambda: self.rename("wg-x"),
                                              lambda: ",UP" in link() and "wg-x" not in self.text("link")),
            "wireguard-go killed": (lambda: self.kill("wireguard-go", "wg-bob"), lambda: ",UP" in link()),
            "MTU": (lambda: self.ip("link", "set", "wg-bob", "mtu", "1300"), lambda: "mtu 1420" in link()),
            "foreign address": (lambda: self.ip("addr", "add", "fe80::dead/64", "dev", "wg-bob"),
                                lambda: "fe80::dead" not in addresses()),
            "link-local address removed": (lambda: self.ip("addr", "del", own, "dev", "wg-bob"),
                                           lambda: own in addresses()),
            "IPv4 address removed": (lambda: self.ip("addr", "del", "10.202.0.1/32", "dev", "wg-bob"),
                                     lambda: "10.202.0.1/" in addresses()),
            "loopback address removed": (lambda: self.ip("addr", "del", "10.202.0.1/32", "dev", "lo"),
                                         lambda: "10.202.0.1/" in self.text("addr", "show", "lo")),
            "IPv6 loopback address removed": (
                lambda: self.ip("addr", "del", self.mesh.loopback("ann", 6) + "/128", "dev", "lo"),
                lambda: self.mesh.loopback("ann", 6) + "/" in self.text("addr", "show", "lo")),
            "lo down": (lambda: self.ip("link", "set", "lo", "down"),
                        lambda: ",UP" in self.text("link", "show", "lo")
                        and self.mesh.loopback("ann", 6) + "/" in self.text("addr", "show", "lo")),
        }

    def sessions(self):
        port = self.wg_says("listen-port").strip()
        private = self.wg_says("private-key")
        return {
            "peer removed": (lambda: self.wg("peer", self.key, "remove"), lambda: self.mesh.peers("ann") == {self.key}),
            "foreign peer": (lambda: self.wg("peer", "A" * 42 + "8="), lambda: self.mesh.peers("ann") == {self.key}),
            "endpoint": (lambda: self.wg("peer", self.key, "endpoint", "198.18.77.99:9"),
                         lambda: f"{self.mesh.underlay('bob')}:" in self.wg_says("endpoints")),
            "allowed IPs": (lambda: self.wg("peer", self.key, "allowed-ips", "10.0.0.0/8"),
                            lambda: {"0.0.0.0/0", "::/0"} == set(self.wg_says("allowed-ips").split()[1:])),
            "keepalive": (lambda: self.wg("peer", self.key, "persistent-keepalive", "7"),
                          lambda: self.wg_says("persistent-keepalive").split()[1:] == ["off"]),
            "listen port": (lambda: self.wg("listen-port", "40000"),
                            lambda: self.wg_says("listen-port").strip() == port),
            "private key": (lambda: self.wg("private-key", self.other_key()),
                            lambda: self.wg_says("private-key") == private),
        }

    def routing(self):
        config = pathlib.Path(self.mesh.path("ann", "bird.conf"))
        good = config.read_text(encoding="utf-8")
        bob, bob6 = self.mesh.loopback("bob"), self.mesh.loopback("bob", 6)
        routes = lambda *words: self.text(*words, "route")
        up = lambda name: any(line.split()[:1] == [name] and " up " in line
                              for line in self.birdc("show", "protocols").splitlines())
        return {
            "route deleted": (lambda: self.ip("route", "del", bob), lambda: bob in routes()),
            "IPv6 route deleted": (lambda: self.ip("-6", "route", "del", bob6), lambda: bob6 + " " in routes("-6")),
            "foreign route over the mesh": (lambda: self.ip("route", "add", "203.0.113.0/24", "dev", "wg-bob"),
                                            lambda: "203.0.113.0/24" not in routes()),
            "foreign IPv6 route before BIRD's": (
                lambda: self.ip("-6", "route", "add", bob6, "dev", "wg-bob", "metric", "1"),
                lambda: "metric 1 " not in routes("-6") and bob6 + " " in routes("-6")),
            "bird.conf changed": (lambda: config.write_text("nonsense\n", encoding="utf-8"),
                                  lambda: config.read_text(encoding="utf-8") == good),
            "bird.conf removed": (config.unlink,
                                  lambda: config.exists() and config.read_text(encoding="utf-8") == good),
            "bird reconfigured": (self.reconfigure, lambda: up("ospf4") and up("ospf6")),
            "ospf4 disabled": (lambda: self.birdc("disable", "ospf4"), lambda: up("ospf4")),
            "bfd1 disabled": (lambda: self.birdc("disable", "bfd1"), lambda: up("bfd1")),
            "bird killed": (lambda: self.kill("bird"), lambda: up("ospf4")),
        }

    def kernel(self):
        good = self.rules()
        self.assertIn("chain forward", good, "the agent keeps its rules")
        out = {name: (lambda n=name, v=value: self.sysctl(n, v), lambda n=name, v=value: self.sysctl(n) != v)
               for name, value in (("net.ipv4.ip_forward", "0"), ("net.ipv6.conf.all.forwarding", "0"),
                                   ("net.ipv4.conf.all.rp_filter", "1"), ("net.ipv4.conf.wg-bob.rp_filter", "1"))}
        in_table = {
            "rules: table deleted": "delete table inet privateer\n",
            "rules: a chain flushed": "flush chain inet privateer forward\n",
            "rules: a rule added": "insert rule inet privateer routing counter accept\n",
            "rules: a set emptied": "flush set inet privateer neighbours4\n",
        }
        for name, text in in_table.items():
            out[name] = (lambda t=text: self.nft(t), lambda: self.rules() == good)
        return out

    @staticmethod
    def time_to_repair(kind, damage, repaired):
        wait_until("all is well before", repaired, 10)
        began = time.monotonic()
        damage()
        wait_until(f"{kind} is repaired", repaired, LIMIT, 0.02)
        return time.monotonic() - began

    def test_what_would_be_repaired_is_told_before(self):
        """`privateer plan --diff`, which changes nothing itself."""
        mesh = self.mesh
        told = lambda *more: mesh.privateer("ann", "plan", "--diff", *more, check=False).stdout
        try:
            wait_until("nothing would change", lambda: told() == "no change\n", 60, 0.5)
        except LabError as error:
            raise AssertionError(f"{error}: {told()}") from None
        mesh.daemons.stop("ann", "agent")
        config, loopback = pathlib.Path(mesh.path("ann", "bird.conf")), f"{mesh.loopback('ann')}/32"
        damages = {
            "wg-bob: set mtu 1420": lambda: self.ip("link", "set", "wg-bob", "mtu", "1300"),
            f"lo: add address {loopback}": lambda: self.ip("addr", "del", loopback, "dev", "lo"),
            "set net/ipv4/ip_forward to 1 (now 0)": lambda: self.run_inside("sysctl", "-qw", "net.ipv4.ip_forward=0"),
            "rules: table inet privateer written, which is not there": lambda: self.nft("delete table inet privateer"),
            "bird.conf: - # by hand": lambda: config.write_text(config.read_text(encoding="utf-8") + "# by hand\n",
                                                               encoding="utf-8"),
            "route to 192.0.2.0/24 over wg-bob removed: it is not BIRD's":
                lambda: self.ip("route", "add", "192.0.2.0/24", "dev", "wg-bob"),
        }
        for sentence, damage in damages.items():
            with self.subTest(sentence):
                damage()
                self.assertIn(sentence, told().splitlines())
        self.assertEqual(told(), told(), "a look changes nothing")
        changes = json.loads(told("--json"))["changes"]
        self.assertLessEqual(set(damages), set(changes))
        self.assertEqual(told().splitlines()[-1], f"{len(changes)} changes")
        mesh.start_agent("ann")
        wait_until("the agent does it", lambda: told() == "no change\n", 30, 0.5)

    def test_damage_by_hand_is_repaired(self):
        times = {}
        self.mesh.wait("nothing is on trial", lambda: self.mesh.status("ann")["trial_revision"] == -1, 40)
        for family in (self.kernel, self.sessions, self.devices, self.routing):
            self.mesh.wait_full(seconds=60)
            for kind, (damage, repaired) in family().items():
                with self.subTest(kind):
                    if "route deleted" in kind:
                        self.mesh.wait_full(seconds=60)
                    took = [self.time_to_repair(kind, damage, repaired)]
                    while min(took) >= BAR and len(took) < TRIES:
                        self.mesh.wait_full(seconds=60)
                        took.append(self.time_to_repair(kind, damage, repaired))
                    times[kind] = min(took)
                    late = "" if len(took) == 1 else f"   (best of {len(took)}, worst {max(took):.2f} s)"
                    print(f"    {kind:<32} repaired after {times[kind]:5.2f} s{late}", flush=True)
                    self.assertLess(times[kind], BAR, kind)
        print(f"    {len(times)} kinds, median {sorted(times.values())[len(times) // 2]:.2f} s, "
              f"worst {max(times.values()):.2f} s", flush=True)
        self.mesh.wait_full(seconds=60)
        self.assertGreaterEqual(len(times), 30)
        self.killed_while_the_agent_was_away()

    def killed_while_the_agent_was_away(self):
        """The process that carries a link has died, and its socket's name is still there: the next agent makes another,
        and is told at once that its controller answers."""
        mesh = self.mesh
        mesh.daemons.stop("ann", "agent")
        self.kill("wireguard-go", "wg-bob")
        self.assertIsNone(self.pid_of("wireguard-go", "wg-bob"))
        began = time.monotonic()
        mesh.start_agent("ann")
        connected = lambda: mesh.status("ann").get("controller", {}).get("connected")
        wait_until("the controller is known to answer", connected, LIMIT, 0.02)
        answered = time.monotonic() - began
        wait_until("another process carries the link", lambda: self.pid_of("wireguard-go", "wg-bob"), LIMIT, 0.02)
        carried = time.monotonic() - began
        mesh.wait_full(seconds=60)
        print(f"    an agent's start: the controller answers after {answered:.2f} s, the link has a process again "
              f"after {carried:.2f} s", flush=True)
        self.assertLess(answered, LIMIT, "it used to wait for news first, 25 s")

    def test_what_is_not_the_meshs_is_never_touched(self):
        self.nft(FOREIGN)
        mine = self.run_inside("nft", "list", "table", "inet", "mine")
        self.ip("route", "add", "198.18.200.0/24", "dev", "under", "proto", "static")
        self.ip("-6", "route", "add", "fd00:99::/64", "dev", "under")
        self.ip("link", "add", "wg-mine", "type", "veth", "peer", "name", "mine")
        self.ip("addr", "add", "10.99.0.1/32", "dev", "lo")
        self.ip("addr", "add", "198.18.201.1/24", "dev", "under")
        for name in ("theirs", "wg-home"):  # a tunnel of the operator's own may be called as ours are
            self.run_inside("wireguard-go", name)
            self.addCleanup(lambda n=name: self.pid_of("wireguard-go", n) and self.kill("wireguard-go", n))
        key = self.run_inside("wg", "genkey").strip()
        self.run_inside("sh", "-c", f"echo {key} | wg set wg-home private-key /dev/stdin listen-port 7777")
        listen = lambda: self.run_inside("sysctl", "-n", "net.ipv4.ip_local_port_range")
        self.run_inside("sysctl", "-qw", "net.ipv4.ip_local_port_range=20000 30000")
        for damage in ("delete table inet privateer\n", "flush chain inet privateer forward\n"):
            self.nft(damage)  # the agent writes its table, and looks at everything
            wait_until("the rules are there", lambda: "oifname @links jump mesh" in self.rules(), LIMIT)
        seen = json.loads(self.mesh.privateer("ann", "status", "--json").stdout)["last_pass_s"]
        wait_until("two passes more", lambda: self.mesh.status("ann")["last_pass_s"] > seen + 3, 20, 0.2)
        self.assertEqual(self.run_inside("nft", "list", "table", "inet", "mine"), mine)
        self.assertIn("198.18.200.0/24", self.text("route"))
        self.assertIn("fd00:99::/64", self.text("-6", "route"))
        for name in ("wg-mine", "theirs", "wg-home"):
            self.assertIn(name, self.text("link"))
        self.assertEqual(self.run_inside("wg", "show", "wg-home", "private-key").strip(), key)
        self.assertEqual(self.run_inside("wg", "show", "wg-home", "peers").strip(), "")
        self.assertIn("10.99.0.1/32", self.text("addr", "show", "lo"))
        self.assertIn("198.18.201.1/24", self.text("addr", "show", "under"))
        self.assertEqual(listen().split(), ["20000", "30000"])
        self.assertTrue(self.mesh.status("ann")["in_order"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
