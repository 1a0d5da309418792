"""The underlay for real: routers, cables, BGP, and down from names alone. Skipped without root, ip, nft and bird."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from support import ROOT

import bird_client
import dns_client
from daemons import Daemons, wait_until
from facts import Facts
from namespaces import Namespaces
from underlay import Underlay

PREFIX = "sovtest-"
TOOLS = all(map(shutil.which, ("ip", "nft", "bird")))


def can_make_namespaces():
    if os.geteuid() != 0 or not TOOLS:
        return False
    name = f"{PREFIX}probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=False)
    return made


@unittest.skipUnless(can_make_namespaces(), "needs root and network namespaces")
class UnderlayTest(unittest.TestCase):
    def setUp(self):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="sovtest-"))
        self.facts = Facts(ROOT / "lab/scenarios/three-sites/topology.yaml")
        self.spaces = Namespaces(PREFIX, self.state)
        self.spaces.remove_all()
        self.daemons = Daemons(self.spaces, self.state)
        self.net = Underlay(self.facts, self.spaces, self.daemons)
        self.addCleanup(shutil.rmtree, self.state, ignore_errors=True)
        self.addCleanup(self.spaces.remove_all)

    def datagram_crosses(self, source, target, address):
        """Whether a datagram from one namespace arrives at an address of another."""
        family = dns_client.family_of(address)
        listener, sender = self.spaces.socket(target, family), self.spaces.socket(source, family)
        try:
            listener.bind((address, 7001))
            listener.settimeout(0.3)
            sender.sendto(b"hello", (address, 7001))
            return listener.recv(16) == b"hello"
        except (TimeoutError, OSError):
            return False
        finally:
            listener.close()
            sender.close()

    def test_everybody_reaches_everybody_until_a_site_is_cut(self):
        self.net.build()
        first, second = self.facts.sites[:2]
        far = second.nodes[1]
        for address in (far.underlay4, far.underlay6):
            wait_until("BGP leads to the other site",
                       lambda to=address: self.datagram_crosses(first.nodes[0].name, far.name, to), 20, 0.1)
            self.assertTrue(self.datagram_crosses(first.client, far.name, address))
        self.assertTrue(self.datagram_crosses("ca", first.nodes[0].name, first.nodes[0].underlay4))

        self.net.cut_site(first)
        self.assertFalse(self.datagram_crosses(first.nodes[0].name, far.name, far.underlay4))
        self.assertFalse(self.datagram_crosses(far.name, first.nodes[0].name, first.nodes[0].underlay6))
        self.assertFalse(self.datagram_crosses(first.nodes[0].name, first.nodes[1].name, first.nodes[1].underlay4))
        self.assertTrue(self.datagram_crosses(first.client, far.name, far.underlay4), "the client must live on")
        self.net.mend_site(first)
        self.assertTrue(self.datagram_crosses(first.nodes[0].name, far.name, far.underlay4))

    def test_cutting_a_port_leaves_the_others(self):
        self.net.build()
        a, b = self.facts.sites[0].nodes[:2]
        self.net.cut_ports(b.name, [7001, 7002])
        self.assertFalse(self.datagram_crosses(a.name, b.name, b.underlay4))
        self.net.mend_ports(b.name)
        self.assertTrue(self.datagram_crosses(a.name, b.name, b.underlay4))

    def test_anycast_leads_to_the_own_site_and_away_from_it_when_its_router_withdraws(self):
        # A stand-in for a DNS node: BIRD that announces the service to its router, and a socket that answers.
        self.net.build()
        for site in self.facts.sites:
            node = self.facts.dns_node(site)
            self.spaces.ip(node.name, f"addr add {self.facts.anycast4}/32 dev lo")
            upstream = next(u for u in node.upstreams if ":" not in u["neighbor"])
            (self.daemons.folder(node.name) / "bird.conf").write_text(
                f"router id 10.0.0.{site.index}; protocol device {{}}\n"
                f"protocol static anycast {{ ipv4; route {self.facts.anycast4}/32 blackhole; }}\n"
                f"protocol bfd {{ interface \"*\" {{ interval 100 ms; multiplier 5; }}; }}\n"
                f"protocol bgp up {{ local as {upstream['local_asn']}; local role customer; bfd yes; neighbor "
                f"{upstream['neighbor']} as {upstream['neighbor_asn']}; connect delay time 1; "
                "ipv4 { import none; export where source = RTS_STATIC; }; }\n", encoding="utf-8")
            folder = self.daemons.folder(node.name)
            self.daemons.start(node.name, "bird", "bird", "-f", "-c", folder / "bird.conf", "-s", folder / "bird.ctl",
                               "-P", folder / "bird.birdpid")
            self.answer_on(node.name)
        first = self.facts.sites[0]
        own = self.facts.dns_node(first).name
        for site in self.facts.sites:
            wait_until("own site answers", lambda s=site: self.who_answers(s) == self.facts.dns_node(s).name, 20, 0.1)
        bird_client.ask(self.state / own / "bird.ctl", "disable anycast")
        wait_until("another site answers", lambda: self.who_answers(first) not in (own, None), 20, 0.1)
        bird_client.ask(self.state / own / "bird.ctl", "enable anycast")
        wait_until("own site answers again", lambda: self.who_answers(first) == own, 20, 0.1)

    def answer_on(self, node):
        sock = self.spaces.socket(node, socket.AF_INET)
        sock.bind((self.facts.anycast4, 7001))

        def serve():
            while True:
                try:
                    _, sender = sock.recvfrom(64)
                    sock.sendto(node.encode(), sender)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()

    def who_answers(self, site):
        with self.spaces.socket(site.client, socket.AF_INET) as sock:
            sock.settimeout(0.3)
            try:
                sock.sendto(b"who", (self.facts.anycast4, 7001))
                return sock.recv(64).decode()
            except (TimeoutError, OSError):
                return None

    def test_down_removes_what_a_killed_up_left(self):
        script = ("import sys; sys.path.insert(0, sys.argv[1]); import pathlib, time\n"
                  "from daemons import Daemons; from facts import Facts\n"
                  "from namespaces import Namespaces; from underlay import Underlay\n"
                  "state = pathlib.Path(sys.argv[3]); spaces = Namespaces(sys.argv[2], state)\n"
                  "daemons = Daemons(spaces, state)\n"
                  "Underlay(Facts(sys.argv[4]), spaces, daemons).build()\n"
                  "print('built', flush=True); time.sleep(60)\n")
        with subprocess.Popen([sys.executable, "-c", script, ROOT / "lab", PREFIX, self.state,
                               self.facts.topology_file], stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline().strip(), "built")
            pids = [pid for name in self.spaces.existing() for pid in self.spaces.pids(name)]
            self.assertGreaterEqual(len(pids), 3)
            process.send_signal(signal.SIGKILL)
        namespaces, killed = self.spaces.remove_all()
        self.assertEqual(namespaces, 2 * len(self.facts.sites) + len(self.facts.nodes) + 1)
        self.assertGreaterEqual(killed, 3)
        self.assertEqual(self.spaces.existing(), [])
        self.assertEqual(self.spaces.remove_all(), (0, 0))
        deadline = time.monotonic() + 5
        while any(os.path.exists(f"/proc/{pid}/ns/net") for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse([pid for pid in pids if os.path.exists(f"/proc/{pid}/ns/net")])


if __name__ == "__main__":
    unittest.main()
