"""A controller whose disk died and whose store was put back from an older copy: the mesh tells it what it has
forgotten, and what it orders takes effect. Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that
PRIVATEER names."""

import json
import pathlib
import shutil
import time
import unittest

from support import mesh_ready

from small_mesh import CONTROLLER, SmallMesh

NODES = ("ann", "bob", "cat", "dan")


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class RestoredControllerTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovrest-", NODES)
        self.addCleanup(self.mesh.close)
        self.mesh.up()

    def calm(self, nodes):
        held = lambda status: status.get("trial_revision") == -1 and status["taken_back"] is None
        self.mesh.wait("nothing is on trial", lambda: all(held(self.mesh.status(n)) for n in nodes), 60, nodes=nodes)

    def store(self):
        return pathlib.Path(self.mesh.path(CONTROLLER, "state", "controller", "controller.db"))

    def controller_log(self):
        return self.mesh.daemons.log(CONTROLLER, "controller").read_text(encoding="utf-8")

    def key(self, node):
        return self.mesh.status(node)["public_key"]

    def nobody_talks_to(self, key, nodes):
        return all(key not in self.mesh.peers(node) for node in nodes)

    def test_what_was_forgotten_is_learnt_and_what_is_ordered_takes_effect(self):
        mesh = self.mesh
        self.calm(NODES)
        mesh.daemons.stop(CONTROLLER, "controller")
        copy = self.store().with_name("copy.db")
        shutil.copy(self.store(), copy)
        mesh.start_controller()

        # The life that the copy knows nothing of: dan is stolen, and there are some changes.
        dan, cat = self.key("dan"), self.key("cat")
        mesh.control("node", "remove", "dan")
        here = NODES[:3]
        mesh.wait("nobody talks to dan", lambda: self.nobody_talks_to(dan, here), 20, 0.1, here)
        for word in ("drain", "undrain", "drain", "undrain"):
            mesh.control("node", word, "bob")
        seen = json.loads(mesh.control("world", "show", "--json").stdout)
        seen = json.loads(seen["signed"])["revision"]
        mesh.wait("all have seen it", lambda: all(mesh.status(n)["revision"] == seen for n in here), 30, 0.1, here)
        self.calm(here)

        mesh.daemons.stop(CONTROLLER, "controller")
        for rest in ("-wal", "-shm"):
            self.store().with_name("controller.db" + rest).unlink(missing_ok=True)
        shutil.copy(copy, self.store())
        mesh.start_controller()
        began = time.monotonic()
        follows = lambda status: status["revision"] > seen and status["controller"]["connected"]
        mesh.wait("all go by what it says now", lambda: all(follows(mesh.status(n)) for n in here), 40, 0.1, here)
        learnt = time.monotonic() - began
        self.assertIn("this store knows nothing of it", self.controller_log())
        self.assertIn("Removed since the copy: dan;", self.controller_log())
        for node in here:
            self.assertIsNone(mesh.status(node)["controller"]["behind_revision"])
            self.assertNotIn(dan, mesh.peers(node), "who was removed stays removed")
        self.calm(here)
        mesh.wait_full(here, 2)

        # Before, this was a success that nobody heard of for as many revisions as had been forgotten.
        began = time.monotonic()
        mesh.control("node", "remove", "cat")
        rest = NODES[:2]
        mesh.wait("nobody talks to cat", lambda: self.nobody_talks_to(cat, rest), 20, 0.05, rest)
        print(f"    an older store was put back: learnt after {learnt:.1f} s; a removal then took "
              f"{time.monotonic() - began:.1f} s", flush=True)
        self.assertTrue(self.nobody_talks_to(dan, rest))
        mesh.wait_full(rest, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
