"""A power cut: every node of a mesh starts from nothing but its files while the controller stays dead, and some of the
files are damaged, old or gone. Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER
names."""

import pathlib
import shutil
import signal
import time
import unittest

from support import mesh_ready

from small_mesh import CONTROLLER, SmallMesh

NODES = ("ann", "bob", "cat", "dan")


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class ColdStartTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovcold-", NODES)
        self.addCleanup(self.mesh.close)
        self.mesh.up()

    def worlds(self, node):
        folder = pathlib.Path(self.mesh.path(node, "state", "worlds"))
        files = folder.iterdir() if folder.exists() else ()
        return sorted(files, key=lambda file: int(file.name.split("-")[1]))

    def test_all_nodes_start_without_their_controller_and_with_bad_snapshots(self):
        mesh = self.mesh
        for word in ("drain", "undrain"):  # two more revisions, so that there are older ones to fall back to
            before = mesh.status("ann")["revision"]
            mesh.control("node", word, "dan")
            for node in NODES:
                kept = lambda n=node, b=before: any(int(one.name.split("-")[1]) > b for one in self.worlds(n))
                mesh.wait(f"{node} keeps the world after {word}", kept, 30)
        newest = self.worlds("ann")[-1].read_text(encoding="utf-8")
        revision = mesh.status("ann")["revision"]
        mesh.daemons.stop(CONTROLLER, "controller", signal.SIGKILL)
        for node in NODES:
            mesh.reboot(node)
        for node in NODES:
            self.assertEqual(mesh.devices(node), [])
        # One bit of bob's newest is another: he goes on with the one before, which is older.
        damaged = self.worlds("bob")[-1]
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(bytes(content))
        self.assertGreater(len(self.worlds("bob")), 1)
        # Cat's are gone: her operator copies any node's world to her as the seed; it is signed.
        shutil.rmtree(mesh.path("cat", "state", "worlds"))
        seed = newest.split("\n", 1)[1]
        pathlib.Path(mesh.path("cat", "state", "seed.json")).write_text(seed, encoding="utf-8")
        # Dan's newest was cut off while it was written, by something that was not us.
        self.worlds("dan")[-1].write_bytes(self.worlds("dan")[-1].read_bytes()[:100])
        begin = time.monotonic()
        for node in NODES:
            mesh.start_agent(node)
        routed = lambda: all(mesh.has_routes(node, NODES) for node in NODES)
        mesh.wait("every node has routes to every other", routed, 60, 0.1)
        passed = time.monotonic() - begin
        print(f"    4 nodes from nothing, controller dead, to all pairs routed: {passed:.2f} s", flush=True)
        self.assertEqual(mesh.status("ann")["revision"], revision)
        self.assertEqual((mesh.status("ann")["source"], mesh.status("cat")["source"]), ("last-known", "seed"))
        for node in ("bob", "dan"):
            self.assertLess(mesh.status(node)["revision"], revision)
            self.assertTrue([one for one in mesh.status(node)["warnings"] + mesh.refusals(node) if "world-" in one],
                            f"{node} says nothing of its damaged snapshot: {mesh.status(node)}")
        mesh.start_controller()
        mesh.wait_full()
        for node in NODES:
            mesh.wait(f"{node} has the newest world", lambda n=node: mesh.status(n)["revision"] >= revision, 30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
