"""A node's life in a real mesh: it joins, is drained, changes its key under traffic, is removed and tries to come back
by everything it has or finds. Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER
names."""

import json
import pathlib
import shutil
import time
import unittest

from support import LONG, mesh_ready

from daemons import wait_until
from load import Load
from small_mesh import CONTROLLER, SmallMesh

NODES = ("ann", "bob", "cat")
BAR_S = 2.0  # what a change, and a removal, may take to every node that is online


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class NodeLifeTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovlife-", NODES)
        self.addCleanup(self.mesh.close)
        self.mesh.up()
        self.rotated = 0  # times that every key was changed

    def traffic(self):
        """1,000 packets a second on every link: half of them IPv4 one way, half IPv6 the other way."""
        flows = []
        for number, a in enumerate(NODES):
            for b in NODES[number + 1:]:
                flows.append((a, self.mesh.loopback(a, 4), b, self.mesh.loopback(b, 4)))
                flows.append((b, self.mesh.loopback(b, 6), a, self.mesh.loopback(a, 6)))
        return Load(self.mesh.spaces, flows, rate=500)

    def control(self):
        """What this machine loses of the same traffic while nothing is changed: a figure to hold the others against."""
        with self.traffic() as load:
            time.sleep(5)
        print(f"    nothing changed: {load}", flush=True)

    def key(self, node):
        return self.mesh.status(node)["public_key"]

    def measured(self, what, seconds):
        print(f"    {what:<58} {seconds:6.2f} s", flush=True)

    def change_is_everywhere(self):
        """From the command's start to the last node's own word that it goes by the new world. A machine that is busy
        with something else may spoil a measure: there are two more, and all are printed."""
        mesh, times = self.mesh, []
        for number in range(3):
            word = ("drain", "undrain")[number % 2]
            before, began = max(mesh.status(node)["revision"] for node in NODES), time.time()
            mesh.control("node", word, "cat")
            for node in NODES:
                mesh.wait(f"{node} has it", lambda n=node: mesh.status(n)["revision"] > before, 20, 0.05, [node])
            revision = mesh.status("ann")["revision"]
            times.append(max(mesh.logged(node, f"world of revision {revision} from controller") for node in NODES)
                         - began)
            self.measured(f"{word} until the last of {len(NODES)} nodes goes by it", times[-1])
            if times[-1] < BAR_S and word == "undrain":
                break
        self.assertLess(min(times), BAR_S, times)
        if word == "drain":
            mesh.control("node", "undrain", "cat")
        mesh.wait("nothing is on trial", lambda: all(mesh.status(n)["trial_revision"] == -1 for n in NODES), 40)

    def state(self, node, *parts):
        return pathlib.Path(self.mesh.path(node, "state", *parts))

    def newest_world(self, node):
        newest = max(self.state(node, "worlds").iterdir(), key=lambda file: int(file.name.split("-")[1]))
        return newest.read_text(encoding="utf-8").split("\n", 1)[1]

    def test_a_removed_node_is_dropped_at_once_and_never_comes_back(self):
        mesh = self.mesh
        key = self.key("cat")
        before = json.loads(mesh.control("node", "list", "--json").stdout)
        self.assertEqual(len(before["nodes"]), 3)
        self.change_is_everywhere()
        old_token = mesh.token("--uses", "9")
        revision = max(mesh.status(node)["revision"] for node in NODES)
        for node in NODES:
            held = lambda n=node: self.state(n, "worlds", f"world-{revision}").exists()
            mesh.wait(f"{node} has kept the world", held, 40)
        kept = {node: mesh.state / f"kept-{node}" for node in NODES}
        for node, folder in kept.items():
            shutil.copytree(self.state(node), folder)
        old_worlds = {node: self.newest_world(node) for node in NODES}

        removed_at = time.time()
        mesh.control("node", "remove", "cat")
        for node in ("ann", "bob"):
            wait_until(f"{node} has dropped it", lambda n=node: key not in mesh.peers(n), 20, 0.01)
            # By its own log: it says so after it was done.
            wait_until("it says so", lambda n=node: mesh.logged(n, "wg-cat: remove"), 5, 0.01)
            took = mesh.logged(node, "wg-cat: remove") - removed_at
            self.measured(f"removal until {node} has no peer of that key", took)
            self.assertGreater(took, 0)
            self.assertLess(took, BAR_S, f"{node} kept a removed node for {took:.2f} s")
        mesh.wait_full(("ann", "bob"), degree=1)

        # A replayed revision as the seed, and the old snapshots put back, each over a restart without controller.
        mesh.daemons.stop(CONTROLLER, "controller")
        for node in ("ann", "bob"):
            with self.subTest(f"{node}: seed and snapshots of before"):
                mesh.daemons.stop(node, "agent")
                shutil.rmtree(self.state(node, "worlds"))
                shutil.copytree(kept[node] / "worlds", self.state(node, "worlds"))
                self.state(node, "seed.json").write_text(old_worlds["cat"], encoding="utf-8")
                mesh.start_agent(node)
                mesh.wait(f"{node} says what it did not believe", lambda n=node: any(
                    "stays removed" in text for text in mesh.refusals(n)), nodes=[node])
                mesh.wait(f"{node} in order", lambda n=node: mesh.status(n)["in_order"], nodes=[node])
                self.assertNotIn(key, mesh.peers(node))
                self.assertIn("ann--cat" if node == "ann" else "bob--cat", mesh.status(node)["waiting"])

        with self.subTest("a forged world"):
            forged = json.loads(json.loads(old_worlds["ann"])["signed"])
            forged["revision"] += 1000
            forged.pop("removed", None)
            for text in (json.dumps(forged), json.dumps({"signed": json.dumps(forged), "signature":
                                                         json.loads(old_worlds["ann"])["signature"]})):
                mesh.daemons.stop("ann", "agent")
                self.state("ann", "seed.json").write_text(text, encoding="utf-8")
                mesh.start_agent("ann")
                mesh.wait("ann refuses it", lambda: any("not signed" in t for t in mesh.refusals("ann")), nodes=["ann"])
                mesh.wait("ann in order", lambda: mesh.status("ann")["in_order"], nodes=["ann"])
                self.assertNotIn(key, mesh.peers("ann"))
                self.assertIn("refused", mesh.privateer("ann", "status", check=False).stdout)

        mesh.start_controller()
        with self.subTest("its certificate and its old token"):
            mesh.wait("cat is told", lambda: "403" in mesh.status("cat")["controller"]["failure"], 60, nodes=["cat"])
            for arguments in (("--token", old_token), ("--token", old_token)):
                done = mesh.privateer("cat", "join", *arguments, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("the controller's log says why", done.stderr)
            self.assertIn("was removed", mesh.daemons.tail(CONTROLLER, "controller", 5))
        for node in ("ann", "bob"):
            mesh.wait(f"{node} follows again", lambda n=node: mesh.status(n)["controller"]["connected"], 40,
                      nodes=[node])
            self.assertNotIn(key, mesh.peers(node))

        with self.subTest("a fresh token brings it back"):
            mesh.daemons.stop("cat", "agent")
            mesh.join("cat")
            mesh.start_agent("cat")
            mesh.wait_full()

    def test_a_drained_node_carries_nobody_elses_traffic_and_nothing_is_lost_on_the_way(self):
        mesh = self.mesh
        # Make cat the way between the others, then drain it.
        mesh.links = [("ann", "bob", 60), ("ann", "cat", 10), ("bob", "cat", 10)]
        pathlib.Path(mesh.path(CONTROLLER, "new.yaml")).write_text(mesh.topology(), encoding="utf-8")
        mesh.control("topology", "set", mesh.path(CONTROLLER, "new.yaml"))
        via = lambda node, other: mesh.route(node, mesh.loopback(other))
        mesh.wait("traffic goes over cat", lambda: via("ann", "bob") == "wg-cat" and via("bob", "ann") == "wg-cat", 30)
        self.control()

        def drained():
            with self.traffic() as load:
                mesh.control("node", "drain", "cat")
                mesh.wait("traffic goes around cat",
                          lambda: via("ann", "bob") == "wg-bob" and via("bob", "ann") == "wg-ann", 30)
                self.assertIn("draining", mesh.control("node", "list").stdout)
                mesh.control("node", "undrain", "cat")
                mesh.wait("and over it again",
                          lambda: via("ann", "bob") == "wg-cat" and via("bob", "ann") == "wg-cat", 30)
            print(f"    drain and undrain: {load}", flush=True)
            return load
        self.without_loss(drained)

    def without_loss(self, run):
        """A machine that stands still for half a second loses an adjacency and hundreds of packets, whatever is done
        at that moment: it is done three times at most. What loses packets by itself does so each time."""
        lost = []
        while len(lost) < (1 if LONG else 3) and 0 not in lost:
            load = run()
            lost.append(load.total_lost())
            self.mesh.wait_full()
        self.assertEqual(min(lost), 0, str(load))

    def rotate(self, rounds):
        mesh = self.mesh
        keys = {node: {self.key(node)} for node in NODES}
        self.control()
        with self.traffic() as load:
            for number in range(self.rotated + 1, self.rotated + rounds + 1):
                began = time.monotonic()
                mesh.control("rotate", "--all")
                mesh.wait("every node has another key", lambda n=number: all(
                    row["rotations"] == n and row["rotation"] == "none"
                    for row in json.loads(mesh.control("node", "list", "--json").stdout)["nodes"]), 300, 0.5)
                mesh.wait("only one device a link is left", lambda: all(len(mesh.devices(n)) == 2 for n in NODES), 30)
                self.measured(f"change {number} of all {len(NODES)} keys", time.monotonic() - began)
        self.rotated += rounds
        for node in NODES:
            self.assertNotIn(self.key(node), keys[node])
        print(f"    {rounds} changes of every key: {load}", flush=True)
        mesh.wait_full()
        return load

    def test_every_key_is_changed_under_traffic_without_losing_a_packet(self):
        self.without_loss(lambda: self.rotate(20 if LONG else 2))

    def test_one_nodes_key_is_changed_and_the_others_stay(self):
        mesh = self.mesh
        before = {node: self.key(node) for node in NODES}
        mesh.control("rotate", "bob")
        mesh.wait("bob has another key", lambda: self.key("bob") != before["bob"], 60)
        mesh.wait_full()
        self.assertEqual([self.key(n) == before[n] for n in NODES], [True, False, True])
        self.assertNotIn(before["bob"], mesh.peers("ann") | mesh.peers("cat"))
        mesh.daemons.stop("bob", "agent")
        mesh.start_agent("bob")
        mesh.wait_full()
        self.assertEqual(mesh.status("bob")["changes"], [], "a restart finds everything as it is")


if __name__ == "__main__":
    unittest.main(verbosity=2)
