"""An edge comes to regional nodes of another OSPF area, which is a break first: not while the way there is blocked.
Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER names."""

import json
import pathlib
import subprocess
import unittest

from support import mesh_ready

from load import Load
from small_mesh import CONTROLLER, SmallMesh

# f and g keep the areas of r1 and r2 alive; e is the edge that moves.
NODES = ("r1", "r2", "e", "f", "g")
AREA = {"f": 1, "g": 2}
BONES = [("r1", "r2", 10), ("f", "r1", 10), ("g", "r2", 10)]


class AreaMesh(SmallMesh):
    at = "r1"  # where e hangs

    def topology(self, nodes=None, mtu=1420, links=None):
        text = super().topology(nodes, mtu, [*BONES, ("e", self.at, 10)])
        for node, area in {**AREA, "e": {"r1": 1, "r2": 2}[self.at]}.items():
            text = text.replace(f"{{name: {node}, ", f"{{name: {node}, area: {area}, ")
        return text


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class AreaMoveTest(unittest.TestCase):
    def setUp(self):
        self.mesh = AreaMesh("sovarea-", NODES, [*BONES, ("e", "r1", 10)])
        self.addCleanup(self.mesh.close)
        self.mesh.up()
        self.calm()

    def calm(self):
        held = lambda status: status["trial_revision"] == -1 and status["taken_back"] is None
        self.mesh.wait("nothing is on trial", lambda: all(held(self.mesh.status(n)) for n in NODES), 60, 0.2)

    def move(self, other):
        self.mesh.at = other
        file = self.mesh.path(CONTROLLER, "new.yaml")
        pathlib.Path(file).write_text(self.mesh.topology(), encoding="utf-8")
        return json.loads(self.mesh.control("topology", "set", file).stdout)["revision"]

    def connected(self, other):
        mesh = self.mesh
        mesh.wait(f"e hangs at {other}", lambda: mesh.devices("e") == [f"wg-{other}"] and mesh.full("e") == (1, 1)
                  and mesh.has_routes("e", ("f", "g")), 90, 0.2, NODES)

    def traffic(self):
        return Load(self.mesh.spaces, self.mesh.flows([("e", "f")]), rate=200)

    def filter(self, *commands):
        for command in commands:
            subprocess.run(self.mesh.spaces.argv("e", "nft", *command.split()), check=True)

    def test_an_area_is_left_when_the_next_one_is_reached(self):
        mesh = self.mesh
        self.filter("add table inet lab", "add chain inet lab out { type filter hook output priority 0 ; }",
                    f"add rule inet lab out ip daddr {mesh.underlay('r2')} udp dport 1-65535 drop",
                    "add chain inet lab in { type filter hook input priority 0 ; }",
                    f"add rule inet lab in ip saddr {mesh.underlay('r2')} udp dport 1-65535 drop")
        lost = []
        while len(lost) < 3 and (not lost or lost[-1] >= 5):
            with self.subTest("blocked"), self.traffic() as load:
                bad = self.move("r2")
                said = f"revision {bad} could not be applied here"
                mesh.wait("e says why not", lambda said=said: any(
                    said in text and "no WireGuard handshake yet over wg-r2" in text
                    for text in mesh.refusals("e")), 60, 0.2, ["e"])
                self.assertEqual(mesh.status("e")["taken_back"]["revision"], bad)
                self.assertEqual(mesh.full("e"), (1, 1), "where it was")
            print(f"    to another area, blocked: {load}", flush=True)
            lost.append(load.total_lost())
            if lost[-1] >= 5:
                self.move("r1")
                self.calm()
        self.assertLess(min(lost), 5, "what a machine that is busy loses anyway")
        with self.subTest("open again"), self.traffic() as load:
            self.filter("delete table inet lab")
            self.connected("r2")  # at the next whole minute
        print(f"    to another area, good:    {load}", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
