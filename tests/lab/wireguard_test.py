"""The agent on two nodes for real: WireGuard devices, OSPF and BFD over them, drift, crashes and restarts, all from a
hand-made world. The devices are the kernel's where it has WireGuard, else wireguard-go's. Skipped without root, ip,
bird, wireguard-go (or the kernel's) and the binary that PRIVATEER names."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from support import ROOT

import bird_client
from daemons import Daemons, wait_until
from namespaces import LabError, Namespaces

PREFIX = "sovwg-"
PRIVATEER = os.environ.get("PRIVATEER", str(ROOT / "build/release/bin/privateer"))


def kernel_has_wireguard():
    made = subprocess.run(["ip", "link", "add", "sovwgtry", "type", "wireguard"], capture_output=True, check=False)
    if made.returncode == 0:
        subprocess.run(["ip", "link", "del", "sovwgtry"], check=True)
    return made.returncode == 0


KERNEL = os.geteuid() == 0 and bool(shutil.which("ip")) and kernel_has_wireguard()
DRIVER_PROGRAMS = () if KERNEL else ("wireguard-go",)
TOOLS = all(map(shutil.which, ("ip", "bird", "wg", *DRIVER_PROGRAMS)))
NODES = {"left": "198.18.9.1", "right": "198.18.9.2"}
TOPOLOGY = """
name: pair
domain: stream.example
mesh: {prefix4: 10.201.0.0/16, prefix6: "fd00:c0de:9::/48", shape: full}
sites:
  - {name: here}
nodes:
  - {name: absent, site: here, role: edge, underlay: [198.18.9.3]}
  - {name: left, site: here, role: edge, underlay: [198.18.9.1]}
  - {name: right, site: here, role: edge, underlay: [198.18.9.2]}
"""
ALLOCATION = """node absent 3
node left 1
node right 2
link absent--left 2 51820 51821
link absent--right 3 51821 51821
link left--right 1 51820 51820
"""


def ready():
    return os.geteuid() == 0 and TOOLS and os.access(PRIVATEER, os.X_OK)


@unittest.skipUnless(ready(), "needs root, ip, bird, wireguard-go and PRIVATEER")
class AgentTest(unittest.TestCase):
    def setUp(self):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="sovwg-"))
        self.spaces = Namespaces(PREFIX, self.state)
        self.spaces.remove_all()
        self.daemons = Daemons(self.spaces, self.state)
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)
        self.addCleanup(self.spaces.remove_all)
        self.spaces.create(NODES)
        left, right = (self.spaces.name(n) for n in NODES)
        subprocess.run(["ip", "-n", left, "link", "add", "under", "type", "veth", "peer", "under", "netns", right],
                       check=True)
        self.keys = {}
        for node, address in NODES.items():
            self.spaces.ip(node, f"addr add {address}/24 dev under", "link set under up")
            secret = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
            self.keys[node] = subprocess.run(["wg", "pubkey"], input=secret, capture_output=True, text=True,
                                             check=True).stdout.strip()
            folder = self.daemons.folder(node) / "state"
            folder.mkdir(mode=0o700)
            (folder / "wireguard.key").write_text(secret, encoding="ascii")
            (folder / "wireguard.key").chmod(0o600)
            self.write_settings(node)
        self.write_world(1, NODES)

    def path(self, node, *parts):
        return str(self.daemons.folder(node).joinpath(*parts))

    def write_settings(self, node):
        settings = {"node": node, "state": self.path(node, "state"), "agent": {"unix": self.path(node, "agent.sock")},
                    "bird": {"config": self.path(node, "bird.conf"), "control": self.path(node, "bird.ctl"),
                             "start": ["bird", "-f", "-c", self.path(node, "bird.conf"), "-s",
                                       self.path(node, "bird.ctl"), "-P", self.path(node, "bird.birdpid")]}}
        pathlib.Path(self.path(node, "privateer.yaml")).write_text(json.dumps(settings), encoding="utf-8")

    def write_world(self, revision, members):
        world = {"revision": revision, "topology": TOPOLOGY, "allocation": ALLOCATION,
                 "nodes": {name: self.keys[name] for name in members}}
        for node in NODES:
            pathlib.Path(self.path(node, "state", "seed.json")).write_text(json.dumps(world), encoding="utf-8")

    def start_agent(self, node):
        self.daemons.start(node, "agent", PRIVATEER, "--config", self.path(node, "privateer.yaml"), "agent",
                           env={"GOMAXPROCS": "1"})

    def status(self, node):
        done = subprocess.run([PRIVATEER, "--config", self.path(node, "privateer.yaml"), "status", "--json"],
                              capture_output=True, text=True, timeout=20, check=False)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return {"in_order": False, "verdict": done.stderr, "changes": []}

    def wait_in_order(self, node, what, seconds=20):
        try:
            wait_until(what, lambda: self.status(node)["in_order"], seconds, 0.1)
        except LabError as error:
            status = self.status(node)
            raise LabError(f"{error}; {status['verdict']}; {status.get('remaining')}\n"
                           f"{self.daemons.tail(node, 'agent', 20)}") from None

    def wait_full(self):
        wait_until("both nodes Full in both families",
                   lambda: all(bird_client.full_neighbors(self.path(n, "bird.ctl")) == (1, 1) for n in NODES), 30, 0.1)
        # A route follows its adjacency at BIRD's next tick.
        for version in (4, 6):
            wait_until(f"IPv{version} crosses", lambda v=version: self.crosses(v), 15, 0.1)

    def crosses(self, version):
        """Whether a datagram from left's loopback arrives at right's."""
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        source, target = ("10.201.0.1", "10.201.0.2") if version == 4 else ("fd00:c0de:9::1", "fd00:c0de:9::2")
        listener, sender = self.spaces.socket("right", family), self.spaces.socket("left", family)
        try:
            listener.bind((target, 7001))
            listener.settimeout(0.5)
            sender.bind((source, 0))
            sender.sendto(b"hello", (target, 7001))
            return listener.recv(16) == b"hello"
        except OSError:
            return False
        finally:
            listener.close()
            sender.close()

    def processes(self, node, program):
        found = []
        for pid in self.spaces.pids(self.spaces.name(node)):
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].rsplit(b"/", 1)[-1] == program.encode():
                found.append(pid)
        return found

    def links(self, node):
        out = subprocess.run(["ip", "-n", self.spaces.name(node), "-j", "link"], capture_output=True, text=True,
                             check=True).stdout
        return {link["ifname"]: link for link in json.loads(out)}

    def up(self):
        for node in NODES:
            self.start_agent(node)
        for node in NODES:
            self.wait_in_order(node, f"{node} in order")
        self.wait_full()

    def handshake_age_s(self, node):
        return self.status(node)["devices"][0]["peers"][0]["handshake_age_s"]

    def test_the_devices_are_the_kernels_where_it_has_wireguard(self):
        self.up()
        self.assertEqual(self.status("left")["backend"], "kernel" if KERNEL else "wireguard-go")
        kind = json.loads(subprocess.run(["ip", "-n", self.spaces.name("left"), "-j", "-d", "link", "show", "wg-right"],
                                         capture_output=True, text=True, check=True).stdout)[0]["linkinfo"]["info_kind"]
        self.assertEqual(kind, "wireguard" if KERNEL else "tun")

    def test_the_mesh_comes_up_and_nothing_is_written_afterwards(self):
        self.up()
        status = self.status("left")
        self.assertEqual(status["revision"], 1)
        self.assertEqual(status["source"], "seed")
        self.assertEqual(status["waiting"], ["absent--left"])
        # BIRD is Full before wireguard-go says when the handshake was, so the figure is waited for.
        wait_until("a handshake in the status", lambda: self.handshake_age_s("left") is not None, 10, 0.2)
        self.assertLess(self.handshake_age_s("left"), 60)
        wait_until("BFD up in both families", lambda: all(
            n["bfd"] for n in self.status("left")["bird"]["neighbors"]), 10, 0.2)
        seen = status["last_pass_s"]
        wait_until("two passes more", lambda: self.status("left")["last_pass_s"] > seen + 6, 20, 0.5)
        self.assertEqual(self.status("left")["changes"], status["changes"])

    def test_drift_is_repaired(self):
        self.up()
        left = self.spaces.name("left")
        wg = ("wg", "set", "wg-right", "peer", self.keys["right"])
        drifts = {
            "a deleted device": lambda: self.spaces.ip("left", "link del wg-right"),
            "another MTU": lambda: self.spaces.ip("left", "link set wg-right mtu 1300"),
            "a device that is down": lambda: self.spaces.ip("left", "link set wg-right down"),
            "a lost loopback": lambda: self.spaces.ip("left", "addr del 10.201.0.1/32 dev lo"),
            "a foreign address": lambda: self.spaces.ip("left", "addr add fe80::dead/64 dev wg-right"),
            "a removed peer": lambda: subprocess.run(self.spaces.argv("left", *wg, "remove"), check=True),
            "other AllowedIPs": lambda: subprocess.run(
                self.spaces.argv("left", *wg, "allowed-ips", "10.0.0.0/8"), check=True),
            "forwarding off": lambda: subprocess.run(
                ["ip", "netns", "exec", left, "sysctl", "-qw", "net.ipv4.ip_forward=0"], check=True),
        }
        for what, damage in drifts.items():
            with self.subTest(what):
                # The damage must be seen as such first: a pass that was made before it says nothing.
                before = len(self.status("left")["changes"])
                texts = [change["text"] for change in self.status("left")["changes"]]
                damage()
                wait_until(f"{what} is noticed", lambda b=before, t=texts: [
                    c["text"] for c in self.status("left")["changes"]] != t or len(
                        self.status("left")["changes"]) != b, 10, 0.05)
                self.wait_in_order("left", f"{what} is repaired")
        self.assertEqual(self.links("left")["wg-right"]["mtu"], 1420)
        self.wait_full()

    def test_crashes_of_the_programs_beside_the_agent_are_repaired(self):
        self.up()
        for program in (*DRIVER_PROGRAMS, "bird"):
            with self.subTest(program):
                old = self.processes("left", program)
                self.assertEqual(len(old), 1)
                os.kill(old[0], signal.SIGKILL)
                wait_until(f"{program} is started again",
                           lambda p=program, o=old: self.processes("left", p) not in ([], o), 15, 0.1)
                self.wait_in_order("left", f"in order after {program}")
                self.wait_full()

    def test_a_stopped_agent_leaves_everything_and_a_started_one_changes_nothing(self):
        self.up()
        for how in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how):
                programs = [self.processes("left", p) for p in (*DRIVER_PROGRAMS, "bird")]
                self.daemons.stop("left", "agent", how)
                wait_until("what was up goes on without the agent", lambda: self.crosses(4), 15, 0.1)
                self.start_agent("left")
                self.wait_in_order("left", "in order again")
                self.assertEqual(self.status("left")["changes"], [])
                self.assertEqual([self.processes("left", p) for p in (*DRIVER_PROGRAMS, "bird")],
                                 programs)
                wait_until("IPv6 crosses as before", lambda: self.crosses(6), 15, 0.1)

    def test_a_removed_member_loses_its_device_at_once(self):
        self.up()
        self.daemons.stop("left", "agent")
        self.write_world(2, ["left"])
        self.start_agent("left")
        wait_until("the device is gone", lambda: "wg-right" not in self.links("left"), 10, 0.05)
        self.wait_in_order("left", "in order without a peer")
        wait_until("its process is gone", lambda: self.processes("left", "wireguard-go") == [], 10, 0.1)
        self.assertEqual(self.status("left")["waiting"], ["absent--left", "left--right"])

    def test_an_interface_of_somebody_else_is_named_and_left_alone(self):
        self.spaces.ip("left", "link add wg-right type veth peer name other")
        self.start_agent("left")
        wait_until("the conflict is told", lambda: "wg-right exists and is not ours" in self.status("left")["verdict"],
                   10, 0.1)
        self.assertEqual(self.links("left")["wg-right"]["link_type"], "ether")

    def test_a_second_agent_on_the_same_state_is_refused(self):
        self.start_agent("left")
        self.wait_in_order("left", "in order")
        pathlib.Path(self.path("left", "second.yaml")).write_text(
            pathlib.Path(self.path("left", "privateer.yaml")).read_text(encoding="utf-8").replace("agent.sock", "b.sock"),
            encoding="utf-8")
        done = subprocess.run(self.spaces.argv("left", PRIVATEER, "--config", self.path("left", "second.yaml"), "agent"),
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("agent.lock", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
