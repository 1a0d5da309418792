"""`privateer doctor` on a real mesh of three nodes: silent while all is well, and right about more than twenty faults
that are made one after the other. `privateer graph` shows the same mesh. Skipped without root, ip, bird, wg,
wireguard-go, nft and the binary that PRIVATEER names.

The agent repairs what it finds, so it is stopped while a fault is looked at; that is one more finding.
"""

import json
import pathlib
import signal
import subprocess
import unittest

from support import mesh_ready

import bird_client
from daemons import wait_until
from namespaces import LabError
from small_mesh import CONTROLLER, SmallMesh

NODES = ("ann", "bob", "cat")
HERE, THERE = "ann", "bob"
DEVICE = "wg-bob"
TABLE = "doctortest"


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class DoctorTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovdoc-", NODES)
        self.addCleanup(self.mesh.close)
        self.mesh.up()
        self.named = 0

    # What is asked

    def doctor(self, node=HERE):
        done = self.mesh.privateer(node, "doctor", "--json", check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["healthy"], done.returncode == 0)
        for finding in report["findings"]:
            self.assertTrue(finding["what"] and finding["fix"], finding)
        return report["findings"]

    def codes(self, node=HERE):
        return sorted({finding["code"] for finding in self.doctor(node)})

    def healthy_everywhere(self):
        for node in NODES:
            try:
                wait_until(f"the doctor finds nothing on {node}", lambda n=node: not self.doctor(n), 40, 0.3)
            except LabError as error:
                raise AssertionError(f"{error}: {self.doctor(node)}") from None

    # What is done

    def run_in(self, *argv, node=HERE, check=True):
        done = subprocess.run(self.mesh.spaces.argv(node, *argv), capture_output=True, text=True, check=False)
        if check:
            self.assertEqual(done.returncode, 0, f"{argv}: {done.stderr}")
        return done.stdout

    def nft(self, chain, rule, node=HERE):
        table = f"table inet {TABLE} {{ chain c {{ type filter hook {chain} priority 0; {rule}; }}; }}"
        self.run_in("nft", table, node=node)

    def no_nft(self, node=HERE):
        self.run_in("nft", "delete", "table", "inet", TABLE, node=node)

    def agent_off(self):
        self.mesh.daemons.stop(HERE, "agent", signal.SIGTERM)

    def agent_on(self):
        self.mesh.start_agent(HERE)
        self.mesh.wait_full()

    def expect(self, code, make, undo):
        make()
        try:
            wait_until(f"the doctor says {code}", lambda: code in self.codes(), 25, 0.3)
        except LabError as error:
            raise AssertionError(f"{code} was not found: {self.doctor()}") from error
        finally:
            undo()
        self.named += 1

    def ip(self, words):
        return lambda: self.run_in("ip", *words.split())

    def address(self, scope):
        listed = json.loads(self.run_in("ip", "-j", "-6", "addr", "show", "dev", DEVICE))[0]["addr_info"]
        return next(f"{one['local']}/{one['prefixlen']}" for one in listed if one["scope"] == scope)

    def peer(self):
        dump = self.run_in("wg", "show", DEVICE, "dump").splitlines()
        key, _, endpoint, allowed = dump[1].split("\t")[:4]
        return key, endpoint, allowed, dump[0].split("\t")[2]

    # The faults

    def faults_of_devices(self):
        fe80, mtu = self.address("link"), "1420"
        key, endpoint, allowed, port = self.peer()
        stranger = self.stranger()
        restore = ("peer", key, "endpoint", endpoint, "allowed-ips", allowed)
        wg = lambda *words: lambda: self.run_in("wg", "set", DEVICE, *words)
        yield "device-down", self.ip(f"link set {DEVICE} down"), self.ip(f"link set {DEVICE} up")
        self.readdress(fe80)
        yield "mtu-differs", self.ip(f"link set {DEVICE} mtu 1300"), self.ip(f"link set {DEVICE} mtu {mtu}")
        yield "link-local-missing", self.ip(f"addr del {fe80} dev {DEVICE}"), self.ip(
            f"addr add {fe80} dev {DEVICE} nodad")
        yield "address-foreign", self.ip(f"addr add 192.0.2.9/24 dev {DEVICE}"), self.ip(
            f"addr del 192.0.2.9/24 dev {DEVICE}")
        loopback = self.mesh.loopback(HERE)
        yield "loopback-missing", self.ip(f"addr del {loopback}/32 dev lo"), self.ip(f"addr add {loopback}/32 dev lo")
        yield "device-stale", self.ip("link add wg-stale type bridge"), self.ip("link del wg-stale")
        yield "peer-foreign", wg("peer", stranger, "allowed-ips", "192.0.2.7/32"), wg("peer", stranger, "remove")
        yield "allowed-ips", wg("peer", key, "allowed-ips", "10.0.0.0/8"), wg("peer", key, "allowed-ips", allowed)
        yield "port-differs", wg("listen-port", "4000"), wg("listen-port", port)
        yield "peer-missing", wg("peer", key, "remove"), wg(*restore)
        under = endpoint.rpartition(":")[0]
        yield "endpoint-through-mesh", self.ip(f"route add {under}/32 dev wg-cat"), self.ip(f"route del {under}/32")
        yield "endpoint-unroutable", self.ip(f"route add unreachable {under}/32"), self.ip(f"route del {under}/32")

    def readdress(self, fe80):
        """A device that was down has lost its IPv6 addresses."""
        self.run_in("ip", "addr", "add", fe80, "dev", DEVICE, "nodad", check=False)

    @staticmethod
    def stranger():
        secret = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
        return subprocess.run(["wg", "pubkey"], input=secret, capture_output=True, text=True, check=True).stdout.strip()

    def faults_of_routing(self):
        yield ("mtu-black-hole", lambda: self.nft("output", 'oifname "under" meta l4proto udp meta length > 1400 drop'),
               self.no_nft)
        yield ("full-without-bfd",
               lambda: self.nft("input", f'iifname "{DEVICE}" udp dport {{ 3784, 3785 }} drop'), self.no_nft)
        yield "adjacency-missing", lambda: self.nft("input", f'iifname "{DEVICE}" meta l4proto 89 drop'), self.no_nft
        control = self.mesh.path(HERE, "bird.ctl")
        changed = pathlib.Path(self.mesh.path(HERE, "changed.conf"))
        text = pathlib.Path(self.mesh.path(HERE, "bird.conf")).read_text(encoding="utf-8")

        def recost():
            begin = text.index(f'"{DEVICE}"')
            changed.write_text(text[:begin] + text[begin:].replace("cost ", "cost 1", 1), encoding="utf-8")
            bird_client.ask(control, f'configure "{changed}"')

        yield "asymmetric-cost", recost, lambda: bird_client.ask(control, "configure")

    def faults_of_the_node(self):
        sysctl = lambda value: lambda: self.run_in("sysctl", "-qw", f"net.ipv4.ip_forward={value}")
        yield "sysctl", sysctl(0), sysctl(1)
        damaged = pathlib.Path(self.mesh.path(HERE, "state", "worlds", "world-99999"))
        yield "snapshot-damaged", lambda: damaged.write_text("nonsense", encoding="utf-8"), damaged.unlink
        bird = int(pathlib.Path(self.mesh.path(HERE, "bird.birdpid")).read_text(encoding="ascii"))
        yield "bird-down", lambda: self.run_in("kill", str(bird)), lambda: None

    def faults_of_sessions(self):
        """Of a device that has just been made: what was never answered."""
        def silent_from_the_start():
            self.nft("input", 'iifname "under" udp dport 51820-51999 drop')
            for device in self.mesh.devices(HERE):
                self.run_in("ip", "link", "del", device)
            self.mesh.start_agent(HERE)

        yield "port-blocked", silent_from_the_start, self.no_nft

    def test_twenty_faults_are_named_and_health_is_silence(self):
        self.healthy_everywhere()
        self.agent_off()
        self.assertEqual(self.codes(), ["agent-down"])
        self.named += 1
        for code, make, undo in self.faults_of_devices():
            self.expect(code, make, undo)
        self.agent_on()
        self.healthy_everywhere()
        self.agent_off()
        for faults in (self.faults_of_routing, self.faults_of_the_node):
            for code, make, undo in faults():
                self.expect(code, make, undo)
        for code, make, undo in self.faults_of_sessions():
            self.expect(code, make, undo)
        self.mesh.wait_full()
        self.mesh.daemons.stop(CONTROLLER, "controller", signal.SIGTERM)
        self.expect("controller-unreachable", lambda: None, self.mesh.start_controller)
        self.healthy_everywhere()
        print(f"    {self.named} faults named, no false alarm on {len(NODES)} healthy nodes", flush=True)
        self.assertGreaterEqual(self.named, 20)

    def test_the_graph_shows_every_link_and_a_dead_node(self):
        def picture():
            return json.loads(self.mesh.privateer(HERE, "graph", "--format", "json").stdout)

        # A world is kept once it has held: the nodes have joined just now.
        wait_until("the world is kept",
                   lambda: self.mesh.privateer(HERE, "graph", check=False).returncode == 0, 60, 0.3)
        whole = picture()
        self.assertEqual([link["state"] for link in whole["links"]], ["full"] * 3)
        self.assertTrue(all(node["reachable"] for node in whole["nodes"]))
        svg = self.mesh.privateer(HERE, "graph").stdout
        self.assertTrue(svg.startswith("<svg ") and svg.endswith("</svg>\n"))
        self.assertIn("subgraph", self.mesh.privateer(HERE, "graph", "--format", "dot").stdout)
        self.mesh.reboot("cat")
        states = lambda: {(link["a"], link["b"]): link["state"] for link in picture()["links"]}
        wait_until("the links of the dead node are not full any more",
                   lambda: states()["ann", "bob"] == "full" and states()["ann", "cat"] != "full", 20, 0.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
