"""The names of who left the mesh, and of who was declared and never joined: nobody is to be sent to an address at which
nobody is. In a hosts file and in a real Navigator. Skipped without root, ip, bird, wg, wireguard-go, nft and the
binaries that PRIVATEER and NAVIGATOR name."""

import os
import unittest

from support import mesh_ready

import mesh_names_test
from daemons import wait_until
from namespaces import LabError

NODES = ("ann", "bob", "cat")
REMOVED, ABSENT = "bob", "cat"


@unittest.skipUnless(mesh_ready() and os.access(mesh_names_test.NAVIGATOR, os.X_OK),
                     "needs root, the mesh's programs and NAVIGATOR")
class RemovedNamesTest(mesh_names_test.MeshNamesTest):
    """What was seen is kept, and each sentence about it is a test of its own."""

    test_names_follow_the_mesh = None
    prefix = "sovgone-"  # both may run at the same time

    @classmethod
    def setUpClass(cls):
        self = cls("prepare")
        mesh_names_test.MeshNamesTest.setUp(self)
        cls.addClassCleanup(self.doCleanups)
        cls.mesh = self.mesh
        self.prepare()

    def setUp(self):
        pass  # once for all of them

    def prepare(self):
        mesh = self.mesh
        mesh.start_controller()
        for node in ("ann", REMOVED):
            mesh.join(node)
        mesh.daemons.start("ann", "navigator", mesh_names_test.NAVIGATOR, "--config", self.config, "serve")
        wait_until("Navigator listens", lambda: os.path.exists(mesh.path("ann", "api.sock")), 20, 0.05)
        mesh.start_agent("ann")
        own = ("ann.internal.", "A", "10.202.0.1")
        wait_until("ann has her name", lambda: own in self.records("internal"), 30, 0.1)
        held = lambda: f"10.202.0.2 {REMOVED}.internal" in self.hosts.read_text(encoding="utf-8")
        wait_until("who joined is in the hosts file", held, 30, 0.1)
        before = mesh.status("ann")["revision"]
        mesh.control("node", "remove", REMOVED)
        mesh.wait("ann has the world without him", lambda: mesh.status("ann")["revision"] > before, 20, 0.05, ["ann"])
        # Names are written again with each world; hers are touched, so that it is seen when that was done.
        self.hosts.write_text("127.0.0.1 localhost\n", encoding="utf-8")
        before = mesh.status("ann")["revision"]
        mesh.control("node", "drain", "ann")
        mesh.wait("and the next one", lambda: mesh.status("ann")["revision"] > before, 20, 0.05, ["ann"])
        wait_until("her names are written again", lambda: "10.202.0.1 ann.internal" in self.hosts.read_text(
            encoding="utf-8"), 60, 0.1)
        wait_until("nothing failed", lambda: mesh.status("ann")["names"]["failure"] == "", 20, 0.1)
        type(self).seen_hosts = self.hosts.read_text(encoding="utf-8")
        served = lambda: self.records("internal") | self.records("202.10.in-addr.arpa")
        try:
            wait_until("his names are gone", lambda: not any(REMOVED in owner for owner, _, _ in served()), 3, 0.2)
        except LabError:
            pass  # which the tests below say
        type(self).seen = served()

    def test_who_is_there_has_names(self):
        self.assertIn("10.202.0.1 ann.internal", self.seen_hosts)
        self.assertLessEqual({("ann.internal.", "A", "10.202.0.1"), ("ann.internal.", "AAAA", "fd00:c0de:77::1"),
                              ("1.0.202.10.in-addr.arpa.", "PTR", "ann.internal.")}, self.seen)

    def named(self, node):
        number = NODES.index(node) + 1
        return sorted(one for one in self.seen if one[0].startswith(f"{node}.") or one[0].startswith(f"{number}.0.202")
                      or one[2].startswith(f"{node}."))

    # mesh/names/names.cpp makes names of all nodes of the topology, and does not look at who is a member.
    def test_a_removed_node_has_no_records(self):
        self.assertEqual(self.named(REMOVED), [])

    def test_a_removed_node_has_no_line_in_the_hosts_file(self):
        self.assertNotIn(REMOVED, self.seen_hosts)

    def test_a_node_that_never_joined_has_no_records(self):
        self.assertEqual(self.named(ABSENT), [])

    def test_a_node_that_never_joined_has_no_line_in_the_hosts_file(self):
        self.assertNotIn(ABSENT, self.seen_hosts)


if __name__ == "__main__":
    unittest.main(verbosity=2)
