"""What an agent does when something goes wrong: a change that costs it a neighbour is taken back, a dead link is gone
around before OSPF has noticed, and what somebody damaged by hand is repaired. Skipped without root, ip, bird, wg,
wireguard-go, nft and the binary that PRIVATEER names."""

import json
import pathlib
import subprocess
import time
import unittest

from support import mesh_ready

from daemons import wait_until
from small_mesh import CONTROLLER, SmallMesh

DETOURS = "201"  # the protocol number of our own routes


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class AgentChangeTest(unittest.TestCase):
    def up(self, nodes, links=None):
        self.mesh = SmallMesh("sovchange-", nodes, links)
        self.addCleanup(self.mesh.close)
        self.mesh.up()
        return self.mesh

    def set_topology(self, text):
        file = self.mesh.path(CONTROLLER, "new.yaml")
        pathlib.Path(file).write_text(text, encoding="utf-8")
        return json.loads(self.mesh.control("topology", "set", file).stdout)["revision"]

    def test_a_change_that_costs_a_neighbour_is_taken_back_and_a_later_one_is_taken(self):
        mesh = self.up(("ann", "bob", "cat"))
        good = mesh.topology()
        mesh.wait("nothing is on trial", lambda: all(mesh.status(n)["trial_revision"] == -1 for n in mesh.nodes), 40)
        before = mesh.status("ann")["revision"]
        mesh.daemons.stop("bob", "agent")  # its BIRD goes on, and will not follow
        bad = self.set_topology(good.replace("bfd: {", "ospf: {hello_s: 1, dead_s: 9}, bfd: {"))
        for node in ("ann", "cat"):
            mesh.wait(f"{node} says that it was taken back", lambda n=node: any(
                f"revision {bad} came" in text and "taken back" in text for text in mesh.refusals(n)), 90, nodes=[node])
            self.assertEqual(mesh.status(node)["revision"], before)
        mesh.wait("every adjacency is there again", lambda: all(mesh.full(n) == (2, 2) for n in mesh.nodes), 60)
        again = self.set_topology(good)
        mesh.start_agent("bob")
        for node in mesh.nodes:
            mesh.wait(f"{node} takes what came after", lambda n=node: mesh.status(n)["revision"] == again
                      and mesh.status(n)["trial_revision"] == -1, 60, nodes=[node])
        mesh.wait_full()

    def test_a_dead_link_is_gone_around_before_ospf_has_noticed(self):
        mesh = self.up(("a", "b", "c"), [("a", "b", 10), ("a", "c", 12), ("b", "c", 10)])
        for node in ("a", "b"):
            mesh.wait("detours are prepared", lambda n=node: mesh.status(n)["detours"]["prepared"] > 0, nodes=[node])
        watch = {node: subprocess.Popen(("ip", "-n", mesh.spaces.name(node), "monitor", "route"),
                                        stdout=subprocess.PIPE, text=True) for node in ("a", "b")}
        try:
            for node, other in (("a", "b"), ("b", "a")):
                mesh.spaces.nft(node, f"table inet silence {{ chain c {{ type filter hook input priority 0; "
                                      f"ip saddr {mesh.underlay(other)} drop; }}; }}\n")
            mesh.wait("OSPF goes another way", lambda: all(
                mesh.route(x, mesh.loopback(y, v)) == "wg-c" for x, y in (("a", "b"), ("b", "a")) for v in (4, 6)), 30)
            for node in ("a", "b"):
                mesh.wait("the detours have gone again", lambda n=node: mesh.status(n)["detours"]["active"] == 0
                          and mesh.status(n)["detours"]["switched"] >= 2, 20, nodes=[node])
        finally:
            for process in watch.values():
                process.terminate()
        for node, other in (("a", "b"), ("b", "a")):
            lines = watch[node].communicate(timeout=10)[0].splitlines()
            to_other = [line for line in lines if mesh.loopback(other) in line and "wg-c" in line]
            kinds = ["detour" if f"proto {DETOURS}" in line else "ospf" for line in to_other if "Deleted" not in line]
            self.assertEqual(kinds[:2], ["detour", "ospf"], "\n".join(lines))
        mesh.spaces.nft("a", "table inet silence\ndelete table inet silence\n")
        mesh.spaces.nft("b", "table inet silence\ndelete table inet silence\n")
        mesh.wait_full()

    def test_damage_by_hand_is_repaired(self):
        mesh = self.up(("ann", "bob"))
        space, key = mesh.spaces.name("ann"), mesh.status("bob")["public_key"]
        ip = lambda *words: subprocess.run(("ip", "-n", space, *words), check=True, capture_output=True)
        wg = lambda *words: subprocess.run(mesh.spaces.argv("ann", "wg", "set", "wg-bob", *words), check=True)
        text = lambda *words: subprocess.run(("ip", "-n", space, *words), capture_output=True, text=True,
                                             check=False).stdout
        config = pathlib.Path(mesh.path("ann", "bird.conf"))
        good = config.read_text(encoding="utf-8")
        forwarding = ("ip", "netns", "exec", space, "sysctl", "-n", "net.ipv4.ip_forward")
        kinds = {
            "device deleted": (lambda: ip("link", "del", "wg-bob"), lambda: "wg-bob" in text("link")),
            "device down": (lambda: ip("link", "set", "wg-bob", "down"),
                            lambda: ",UP" in text("link", "show", "wg-bob")),
            "MTU": (lambda: ip("link", "set", "wg-bob", "mtu", "1300"),
                    lambda: "mtu 1420" in text("link", "show", "wg-bob")),
            "own address": (lambda: ip("addr", "del", "10.202.0.1/32", "dev", "lo"),
                            lambda: "10.202.0.1/" in text("addr", "show", "lo")),
            "foreign address": (lambda: ip("addr", "add", "fe80::dead/64", "dev", "wg-bob"),
                                lambda: "fe80::dead" not in text("addr", "show", "wg-bob")),
            "peer removed": (lambda: wg("peer", key, "remove"), lambda: key in mesh.peers("ann")),
            "foreign peer": (lambda: wg("peer", "A" * 42 + "8="), lambda: mesh.peers("ann") == {key}),
            "listen port": (lambda: wg("listen-port", "40000"), lambda: ":40000" not in subprocess.run(
                mesh.spaces.argv("ann", "ss", "-Hulpn"), capture_output=True, text=True, check=False).stdout),
            "route deleted": (lambda: ip("route", "del", mesh.loopback("bob")),
                              lambda: mesh.loopback("bob") in text("route")),
            "IPv6 route deleted": (lambda: ip("-6", "route", "del", mesh.loopback("bob", 6)),
                                   lambda: mesh.loopback("bob", 6) + " " in text("-6", "route")),
            "forwarding": (lambda: subprocess.run((*forwarding[:4], "sysctl", "-qw", "net.ipv4.ip_forward=0"),
                                                  check=True),
                           lambda: subprocess.run(forwarding, capture_output=True, check=True).stdout.strip() == b"1"),
            "bird.conf": (lambda: config.write_text("nonsense\n", encoding="utf-8"),
                          lambda: config.read_text(encoding="utf-8") == good),
        }
        for kind, (damage, repaired) in kinds.items():
            with self.subTest(kind):
                mesh.wait_full(seconds=60)
                self.assertTrue(repaired(), "nothing is damaged yet")
                began = time.monotonic()
                damage()
                wait_until(f"{kind} is repaired", repaired, 15, 0.02)
                print(f"    {kind:<24} repaired after {time.monotonic() - began:5.2f} s", flush=True)
        foreign = ("198.18.200.0/24", "dev", "under", "proto", "static")
        ip("route", "add", *foreign)
        ip("link", "add", "wg-mine", "type", "veth", "peer", "name", "mine")
        seen = mesh.status("ann")["last_pass_s"]
        wait_until("two passes more", lambda: mesh.status("ann")["last_pass_s"] > seen + 3, 20, 0.2)
        self.assertIn("198.18.200.0/24", text("route"))
        self.assertIn("wg-mine", text("link"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
