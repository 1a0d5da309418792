"""A node's only link moves: to a node that has not joined, to one that is not reached, and to a good one under traffic.
Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER names."""

import json
import pathlib
import subprocess
import time
import unittest

from support import mesh_ready

from load import Load
from small_mesh import CONTROLLER, SmallMesh

HERE = ("r1", "r2", "e")  # r3 has not joined
BONES = [("r1", "r2", 10), ("r2", "r3", 10)]
STAYS_S = 10  # after the verdict: what nobody wants used to go in the first pass


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class OnlyLinkTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovonly-", (*HERE, "r3"), [*BONES, ("r1", "e", 10)])
        self.addCleanup(self.mesh.close)
        self.mesh.start_controller()
        for node in HERE:
            self.mesh.join(node)
            self.mesh.start_agent(node)
        self.connected("r1")
        self.calm()

    def traffic(self):
        return Load(self.mesh.spaces, self.mesh.flows([("e", "r1"), ("e", "r2")]), rate=200)

    def move(self, other):
        file = self.mesh.path(CONTROLLER, "new.yaml")
        pathlib.Path(file).write_text(self.mesh.topology(links=[*BONES, (other, "e", 10)]), encoding="utf-8")
        return json.loads(self.mesh.control("topology", "set", file).stdout)["revision"]

    def connected(self, other):
        """By that link, and nobody keeps another."""
        mesh, rest = self.mesh, {"r1": "r2", "r2": "r1"}[other]
        mesh.wait(f"e hangs at {other} alone", lambda: mesh.devices("e") == [f"wg-{other}"]
                  and mesh.full("e") == (1, 1) and "wg-e" not in mesh.devices(rest)
                  and mesh.has_routes("e", ("r1", "r2")), 150, 0.2, HERE)

    def calm(self):
        mesh = self.mesh
        mesh.wait("nothing is on trial", lambda: all(mesh.status(n)["trial_revision"] == -1 for n in HERE), 60, 0.2)

    def stays(self, revision):
        """r1 goes by the new world, in which it has no link to e, and keeps that: e has no other."""
        mesh = self.mesh
        mesh.wait("r1 holds the world", lambda: mesh.status("r1")["revision"] >= revision
                  and mesh.status("r1")["trial_revision"] == -1, 60, 0.2, ["r1"])
        until = time.monotonic() + STAYS_S
        while time.monotonic() < until:
            self.assertEqual(mesh.status("r1")["waiting_removals"], ["wg-e"])
            self.assertEqual(mesh.full("e"), (1, 1))
        # As nothing replaces it, it is no last resort: whoever calculates first would lead packets in a circle later.
        self.assertNotIn("cost 65535", pathlib.Path(mesh.path("r1", "bird.conf")).read_text(encoding="utf-8"))

    def filter(self, *commands):
        for command in commands:
            subprocess.run(self.mesh.spaces.argv("e", "nft", *command.split()), check=True)

    def test_the_node_is_never_cut_off(self):
        mesh = self.mesh
        with self.subTest("to a node that has not joined"), self.traffic() as load:
            revision = self.move("r3")
            mesh.wait("e says why not", lambda: any(f"revision {revision}" in text and "not yet r3" in text
                                                   for text in mesh.refusals("e")), 30, 0.2, ["e"])
            self.stays(revision)
        self.report("to a node that has not joined", load)

        with self.subTest("to a node that is not reached"), self.traffic() as load:
            self.filter("add table inet lab", "add chain inet lab out { type filter hook output priority 0 ; }",
                        f"add rule inet lab out ip daddr {mesh.underlay('r2')} udp dport 1-65535 drop",
                        "add chain inet lab in { type filter hook input priority 0 ; }",
                        f"add rule inet lab in ip saddr {mesh.underlay('r2')} udp dport 1-65535 drop")
            revision = self.move("r2")
            mesh.wait("e says that it was taken back", lambda: any(
                "any neighbour: not 10.202.0.2" in text and "taken back" in text for text in mesh.refusals("e")), 90,
                0.2, HERE)
            self.assertEqual(mesh.status("e")["taken_back"]["revision"], revision)
            self.stays(revision)
        self.report("to a node that is not reached", load)

        self.filter("delete table inet lab")
        lost = []
        for other in ("r2", "r1", "r2"):
            with self.subTest(f"to {other}"), self.traffic() as load:
                self.move(other)
                self.connected(other)
            lost.append(self.report(f"to {other}, which is good", load))
            self.calm()
            if not lost[-1]:
                break
        self.assertLess(min(lost), 5, "what a machine that is busy loses anyway")

    def report(self, what, load):
        print(f"    {what:<34} {load}", flush=True)
        return load.total_lost()


if __name__ == "__main__":
    unittest.main(verbosity=2)
