"""A power cut: every node of a mesh starts from nothing but its files while the controller stays dead, and some of the
files are damaged, old or gone; devices, addresses, rules and kernel settings are all made again, and packets go between
all pairs, some of them through other nodes. Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that
PRIVATEER names."""

import pathlib
import shutil
import signal
import socket
import time
import unittest

from support import mesh_ready

from namespaces import LabError
from small_mesh import BOOT, CONTROLLER, SmallMesh

NODES = ("ann", "bob", "cat", "dan")
RING = [("ann", "bob", 10), ("bob", "cat", 10), ("cat", "dan", 10), ("dan", "ann", 10)]
PORT = 7200


class Packets:
    """One datagram after the other between all pairs, IPv4 and IPv6, from loopback to loopback, until each pair has had
    one. Sockets need their addresses, and so are made when those are there."""

    def __init__(self, mesh):
        self.mesh, self.socks = mesh, {}
        self.missing = {(a, b, version) for a in NODES for b in NODES if a != b for version in (4, 6)}

    def socket_of(self, node, version):
        if (node, version) not in self.socks:
            sock = self.mesh.spaces.socket(node, socket.AF_INET if version == 4 else socket.AF_INET6)
            try:
                sock.bind((self.mesh.loopback(node, version), PORT))
            except OSError:
                sock.close()
                return None
            sock.setblocking(False)
            self.socks[node, version] = sock
        return self.socks[node, version]

    def all_arrived(self):
        for a, b, version in self.missing:
            sender = self.socket_of(a, version)
            if sender and self.socket_of(b, version):
                try:
                    sender.sendto(f"{a} {b}".encode(), (self.mesh.loopback(b, version), PORT))
                except OSError:
                    pass  # no route yet
        time.sleep(0.02)  # the packets' own time: what comes later counts at the next look
        for (node, version), sock in self.socks.items():
            try:
                while True:
                    a, b = sock.recv(64).decode().split()
                    assert b == node
                    self.missing.discard((a, b, version))
            except OSError:
                pass
        return not self.missing

    def close(self):
        for sock in self.socks.values():
            sock.close()


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class ColdStartTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovcold-", NODES, RING)
        self.addCleanup(self.mesh.close)
        self.mesh.up()

    def worlds(self, node):
        folder = pathlib.Path(self.mesh.path(node, "state", "worlds"))
        # Beside them, for a moment, there is one that is being written.
        files = [file for file in (folder.iterdir() if folder.exists() else ()) if file.name[6:].isdigit()]
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
        before = {node: mesh.kept(node) for node in NODES}
        mesh.daemons.stop(CONTROLLER, "controller", signal.SIGKILL)
        for node in NODES:
            mesh.reboot(node)
        for node in NODES:
            self.assertEqual(mesh.devices(node), [])
            settings, rules = mesh.kept(node)
            self.assertEqual((len(before[node][0].splitlines()), rules), (len(BOOT), ""))
            self.assertFalse(set(settings.splitlines()) & set(before[node][0].splitlines()), settings)
            self.assertIn("table", before[node][1])
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
        packets = Packets(mesh)
        self.addCleanup(packets.close)
        pairs = len(packets.missing)
        try:
            mesh.wait("a packet went between all pairs", packets.all_arrived, 60, 0.05)
        except LabError as error:
            raise AssertionError(f"{error}\nnothing arrived from, to: {sorted(packets.missing)}") from None
        passed = time.monotonic() - begin
        print(f"    4 nodes from nothing, controller dead, to a packet on each of {pairs} ways: {passed:.2f} s",
              flush=True)
        for node in NODES:
            mesh.wait(f"{node} has its settings and rules again", lambda n=node: mesh.kept(n) == before[n], 20)
            self.assertTrue(mesh.has_routes(node, NODES))
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
