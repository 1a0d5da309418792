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
        # An agent that is started anew knows what it took back: it does not try it at once.
        tried = mesh.status("ann")["taken_back"]["tries"]
        mesh.daemons.stop("ann", "agent")
        mesh.start_agent("ann")
        mesh.wait("ann's new agent hears of it", lambda: mesh.status("ann").get("taken_back"), 30, nodes=["ann"])
        status = mesh.status("ann")
        self.assertEqual((status["revision"], status["taken_back"]["revision"]), (before, bad))
        self.assertGreaterEqual(status["taken_back"]["tries"], tried)
        self.assertEqual(mesh.full("ann"), (2, 2))
        # No newer revision comes, but bob follows: the others try again, at whole minutes.
        mesh.start_agent("bob")
        for node in mesh.nodes:
            mesh.wait(f"{node} holds what was taken back", lambda n=node: mesh.status(n)["revision"] == bad
                      and mesh.status(n)["trial_revision"] == -1, 300, nodes=[node])
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
        """The edge is in an area of its own, with two border nodes. In one area r2 would send by r1 what is for it."""
        links = [("r1", "r2", 10), ("e", "r1", 5), ("e", "r2", 30)]
        mesh = self.mesh = SmallMesh("sovareas-", ("r1", "r2", "e"), links)
        self.addCleanup(mesh.close)
        text = mesh.topology()
        mesh.write_topology(text.replace("name: e, site", "name: e, area: 1, site"))
        mesh.up()
        self.assertIn("area 0.0.0.1", pathlib.Path(mesh.path("r1", "bird.conf")).read_text(encoding="utf-8"))
        self.goes_around("e", "r1", "r2")
        mesh.wait_full()

    def test_a_ring_of_five_goes_around_by_its_repair_links(self):
        """No neighbour of a ring is a loop-free alternate. The controller chooses links at a cost nobody sends by."""
        nodes = ("p1", "p2", "p3", "p4", "p5")
        ring = [(a, b, 10) for a, b in zip(nodes, nodes[1:])] + [("p1", "p5", 10)]
        mesh = self.mesh = SmallMesh("sovring-", nodes, ring)
        self.addCleanup(mesh.close)
        mesh.write_topology(mesh.topology().replace("shape: links", "shape: links, repair_links: auto"))
        mesh.start_controller()
        world = json.loads(json.loads(mesh.control("world", "show", "--json").stdout)["signed"])
        chosen = [line.split()[1].split("--") for line in world["allocation"].splitlines() if line.endswith(" repair")]
        self.assertEqual(len(chosen), 3)
        mesh.links = ring + [(a, b, 60000) for a, b in chosen]
        for node in nodes:
            mesh.join(node)
            mesh.start_agent(node)
        mesh.wait_full()
        repair = {node: {f"wg-{a if node == b else b}" for a, b in chosen if node in (a, b)} for node in nodes}
        for node in nodes:  # nobody sends by them
            ways = {mesh.route(node, mesh.loopback(other, v)) for other in nodes if other != node for v in (4, 6)}
            self.assertFalse(ways & repair[node])
            mesh.wait("detours are prepared", lambda n=node: mesh.status(n)["detours"]["prepared"] >= 8, nodes=[node])
        self.detour_first("p1", "p2", {"p1": "wg-p5", "p2": "wg-p3"}, repair)
        mesh.wait_full()

    def goes_around(self, a, b, via):
        """Packets between the two are dropped outside; each has a detour over the third at once, then OSPF's route."""
        mesh = self.mesh
        for node in (a, b):
            mesh.wait("detours are prepared", lambda n=node: mesh.status(n)["detours"]["prepared"] > 0, nodes=[node])
        self.detour_first(a, b, {a: f"wg-{via}", b: f"wg-{via}"}, {a: {f"wg-{via}"}, b: {f"wg-{via}"}})

    def detour_first(self, a, b, ways, detours):
        """OSPF calculates once a second, which may be at the very moment of the break: it is broken three times at
        most. An agent without detours is late each time."""
        seen = {}
        for _ in range(3):
            seen = self.silence(a, b, ways)
            if all(self.is_detour_first(seen[node], other, ways[node], detours[node])
                   for node, other in ((a, b), (b, a))):
                return
            self.mesh.wait_full()
        self.fail("\n".join(seen[a] + seen[b]))

    def is_detour_first(self, lines, other, way, detours):
        """In both families: a detour over one of its devices, and the way that OSPF found after it."""
        for version in (4, 6):
            new = [line for line in lines if self.mesh.loopback(other, version) in line and "Deleted" not in line]
            taken = [f"proto {DETOURS}" in line for line in new]
            device = new[0].split(" dev ")[1].split()[0] if new and " dev " in new[0] else None
            if not taken or not taken[0] or device not in detours or not any(
                    not one and f"dev {way}" in line for one, line in zip(taken, new)):
                return False
        return True

    def silence(self, a, b, ways):
        """What `ip monitor route` says on both while the link is dead, until OSPF goes by `ways`."""
        mesh = self.mesh
        full = {node: mesh.full(node) for node in (a, b)}
        watch = {node: subprocess.Popen(("ip", "-n", mesh.spaces.name(node), "monitor", "route"),
                                        stdout=subprocess.PIPE, text=True) for node in (a, b)}
        try:
            for node, other in ((a, b), (b, a)):
                mesh.spaces.nft(node, f"table inet silence {{ chain c {{ type filter hook input priority 0; "
                                      f"ip saddr {mesh.underlay(other)} drop; }}; }}\n")
            mesh.wait("the adjacency is given up", lambda: all(
                mesh.full(node) == tuple(one - 1 for one in full[node]) for node in (a, b)), 30)
            mesh.wait("OSPF goes another way", lambda: all(
                mesh.route(x, mesh.loopback(y, v)) == ways[x] for x, y in ((a, b), (b, a)) for v in (4, 6)), 30)
            for node in (a, b):
                mesh.wait("the detours have gone again", lambda n=node: mesh.status(n)["detours"]["active"] == 0, 30,
                          nodes=[node])
        finally:
            for process in watch.values():
                process.terminate()
        for node in (a, b):
            mesh.spaces.nft(node, "table inet silence\ndelete table inet silence\n")
        return {node: process.communicate(timeout=10)[0].splitlines() for node, process in watch.items()}


if __name__ == "__main__":
    unittest.main(verbosity=2)
