"""What an agent does when something goes wrong: a change that costs it a neighbour is taken back and tried again, and a
dead link is gone around before OSPF has noticed. Skipped without root, ip, bird, wg,
wireguard-go, nft and the binary that PRIVATEER names."""

import json
import pathlib
import subprocess
import time
import unittest

from support import mesh_ready

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

    def test_a_change_that_costs_a_neighbour_is_taken_back_and_tried_again(self):
        mesh = self.up(("ann", "bob", "cat"))
        good = mesh.topology()
        mesh.wait("nothing is on trial", lambda: all(mesh.status(n)["trial_revision"] == -1 for n in mesh.nodes), 40)
        self.nothing_is_tried_where_nothing_changes()
        before = mesh.status("ann")["revision"]
        mesh.daemons.stop("bob", "agent")  # its BIRD goes on, and will not follow
        bad = self.set_topology(good.replace("bfd: {", "ospf: {hello_s: 1, dead_s: 9}, bfd: {"))
        for node in ("ann", "cat"):
            mesh.wait(f"{node} says that it was taken back", lambda n=node: any(
                f"revision {bad} came" in text and "taken back" in text for text in mesh.refusals(n)), 90, nodes=[node])
            status = mesh.status(node)
            self.assertEqual((status["revision"], status["taken_back"]["revision"]), (before, bad))
            self.assertIn(mesh.loopback("bob"), status["taken_back"]["missing"])
            self.assertIn(f"taken back  revision {bad}", mesh.privateer(node, "status", check=False).stdout)
        mesh.wait("every adjacency is there again", lambda: all(mesh.full(n) == (2, 2) for n in mesh.nodes), 60)
        # No newer revision comes, but bob follows: the others try again, at whole minutes.
        mesh.start_agent("bob")
        for node in mesh.nodes:
            mesh.wait(f"{node} holds what was taken back", lambda n=node: mesh.status(n)["revision"] == bad
                      and mesh.status(n)["trial_revision"] == -1, 120, nodes=[node])
            self.assertIsNone(mesh.status(node)["taken_back"])
        again = self.set_topology(good)
        for node in mesh.nodes:
            mesh.wait(f"{node} takes what came after", lambda n=node: mesh.status(n)["revision"] == again
                      and mesh.status(n)["trial_revision"] == -1, 60, nodes=[node])
        mesh.wait_full()

    def nothing_is_tried_where_nothing_changes(self):
        """Draining a node changes that node alone."""
        mesh, before = self.mesh, self.mesh.status("ann")["revision"]
        mesh.control("node", "drain", "cat")
        mesh.wait("ann has the newer world", lambda: mesh.status("ann")["revision"] > before, 20, 0.02)
        self.assertEqual(mesh.status("ann")["trial_revision"], -1)
        mesh.wait("cat tries it", lambda: mesh.status("cat")["trial_revision"] > before, 20, 0.02)
        drained = mesh.status("cat")["revision"]
        mesh.control("node", "undrain", "cat")
        mesh.wait("cat is as before, without a trial", lambda: mesh.status("cat")["revision"] > drained, 20, 0.02)
        self.assertEqual(mesh.status("cat")["trial_revision"], -1)

    def test_a_dead_link_is_gone_around_before_ospf_has_noticed(self):
        mesh = self.up(("a", "b", "c"), [("a", "b", 10), ("a", "c", 12), ("b", "c", 10)])
        self.goes_around("a", "b", "c")
        mesh.wait_full()

    def test_with_several_areas_too(self):
        """The edge is in an area of its own, with two border nodes. In one area r2 would send over r1 what is for it."""
        links = [("r1", "r2", 10), ("e", "r1", 5), ("e", "r2", 30)]
        mesh = self.mesh = SmallMesh("sovareas-", ("r1", "r2", "e"), links)
        self.addCleanup(mesh.close)
        text = mesh.topology()
        mesh.write_topology(text.replace("name: e, site", "name: e, area: 1, site"))
        mesh.up()
        self.assertIn("area 0.0.0.1", pathlib.Path(mesh.path("r1", "bird.conf")).read_text(encoding="utf-8"))
        self.goes_around("e", "r1", "r2")
        mesh.wait_full()

    def goes_around(self, a, b, via):
        """Packets between the two are dropped outside; each has a detour over the third at once, and OSPF's route after."""
        mesh = self.mesh
        for node in (a, b):
            mesh.wait("detours are prepared", lambda n=node: mesh.status(n)["detours"]["prepared"] > 0, nodes=[node])
        watch = {node: subprocess.Popen(("ip", "-n", mesh.spaces.name(node), "monitor", "route"),
                                        stdout=subprocess.PIPE, text=True) for node in (a, b)}
        try:
            for node, other in ((a, b), (b, a)):
                mesh.spaces.nft(node, f"table inet silence {{ chain c {{ type filter hook input priority 0; "
                                      f"ip saddr {mesh.underlay(other)} drop; }}; }}\n")
            mesh.wait("OSPF goes another way", lambda: all(
                mesh.route(x, mesh.loopback(y, v)) == f"wg-{via}" for x, y in ((a, b), (b, a)) for v in (4, 6)), 30)
            for node in (a, b):
                mesh.wait("the detours have gone again", lambda n=node: mesh.status(n)["detours"]["active"] == 0
                          and mesh.status(n)["detours"]["switched"] >= 2, 20, nodes=[node])
        finally:
            for process in watch.values():
                process.terminate()
        for node, other in ((a, b), (b, a)):
            lines = watch[node].communicate(timeout=10)[0].splitlines()
            to_other = [line for line in lines if mesh.loopback(other) in line and f"wg-{via}" in line]
            kinds = ["detour" if f"proto {DETOURS}" in line else "ospf" for line in to_other if "Deleted" not in line]
            self.assertEqual(kinds[:2], ["detour", "ospf"], "\n".join(lines))
        mesh.spaces.nft(a, "table inet silence\ndelete table inet silence\n")
        mesh.spaces.nft(b, "table inet silence\ndelete table inet silence\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
