"""The mesh's own names in a real Navigator and in a hosts file, as nodes come and go. Skipped without root, ip, bird,
wg, wireguard-go, nft and the binaries that PRIVATEER and NAVIGATOR name."""

import json
import os
import pathlib
import subprocess
import unittest

from support import ROOT, mesh_ready

from daemons import wait_until
from namespaces import LabError
from small_mesh import SmallMesh

NAVIGATOR = os.environ.get("NAVIGATOR", str(ROOT / "build/release/bin/navigator"))
NODES = ("ann", "bob", "cat")


@unittest.skipUnless(mesh_ready() and os.access(NAVIGATOR, os.X_OK), "needs root, the mesh's programs and NAVIGATOR")
class MeshNamesTest(unittest.TestCase):
    prefix = "sovnam-"

    def setUp(self):
        self.mesh = SmallMesh(self.prefix, NODES)
        self.addCleanup(self.mesh.close)
        self.hosts = pathlib.Path(self.mesh.path("ann", "hosts"))
        self.hosts.write_text("127.0.0.1 localhost", encoding="utf-8")
        settings = pathlib.Path(self.mesh.path("ann", "privateer.yaml"))
        wanted = json.loads(settings.read_text(encoding="utf-8"))
        wanted["names"] = {"navigator": self.mesh.path("ann", "api.sock"), "hosts": str(self.hosts)}
        settings.write_text(json.dumps(wanted), encoding="utf-8")
        self.config = self.mesh.path("ann", "navigator.yaml")
        pathlib.Path(self.config).write_text(json.dumps({
            "store": {"url": "sqlite://" + self.mesh.path("ann", "navigator.db")},
            "api": {"unix": self.mesh.path("ann", "api.sock")}, "powerdns": {"control": []}}), encoding="utf-8")

    def navigator(self, *words):
        return subprocess.run([NAVIGATOR, "--config", self.config, *words], capture_output=True, text=True, timeout=20,
                              check=False)

    def records(self, zone):
        """(owner, type, content) of what is served."""
        out = set()
        for line in self.navigator("zone", "export", zone).stdout.splitlines():
            words = line.split()
            if len(words) >= 5 and words[2] == "IN":
                out.add((words[0], words[3], " ".join(words[4:])))
        return out

    def test_names_follow_the_mesh(self):
        mesh = self.mesh
        mesh.up()
        # Nobody serves yet: the agent says so, and tries again.
        wait_until("the agent misses its Navigator", lambda: mesh.status("ann")["names"]["failure"], 20, 0.1)
        mesh.daemons.start("ann", "navigator", NAVIGATOR, "--config", self.config, "serve")
        # Before it listens, a command would open the store itself, and keep the daemon out of it.
        wait_until("Navigator listens", lambda: os.path.exists(mesh.path("ann", "api.sock")), 20, 0.05)
        wanted = {("bob.internal.", "A", "10.202.0.2"), ("bob.here.internal.", "AAAA", "fd00:c0de:77::2")}
        try:
            wait_until("bob has his names", lambda: wanted <= self.records("internal"), 30, 0.2)
        except LabError as error:
            said = mesh.daemons.tail("ann", "navigator", 8)
            raise AssertionError(f"{error}: {mesh.status('ann')['names']}; {said}") from None
        # Zone after zone is written, and the failure is over with the last of them.
        wait_until("every zone is there", lambda: mesh.status("ann")["names"]["failure"] == "", 30, 0.1)
        self.assertIn(("2.0.202.10.in-addr.arpa.", "PTR", "bob.internal."), self.records("202.10.in-addr.arpa"))
        reverse6 = self.records("0.0.0.0.7.7.0.0.e.d.0.c.0.0.d.f.ip6.arpa") | self.records(
            "7.7.0.0.e.d.0.c.0.0.d.f.ip6.arpa")
        self.assertTrue(any(kind == "PTR" for _, kind, _ in reverse6), "IPv6 leads back as well")
        hosts = self.hosts.read_text(encoding="utf-8")
        self.assertTrue(hosts.startswith("127.0.0.1 localhost\n"), hosts)
        self.assertIn("10.202.0.2 bob.internal bob.here.internal\n", hosts)
        # A topology without cat: her names go, at once.
        self.assertTrue(any(owner.startswith("cat") for owner, _, _ in self.records("internal")))
        pathlib.Path(mesh.path("ann", "smaller.yaml")).write_text(mesh.topology(["ann", "bob"]), encoding="utf-8")
        mesh.control("topology", "set", mesh.path("ann", "smaller.yaml"))
        wait_until("cat's names are gone",
                   lambda: not any(owner.startswith("cat") for owner, _, _ in self.records("internal")), 20, 0.2)
        self.assertNotIn("cat", self.hosts.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
