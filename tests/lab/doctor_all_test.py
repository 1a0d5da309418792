"""`privateer doctor --all` on a real mesh of three nodes: from a node and where the controller runs, healthy, with a
fault on one node while another is silent, and without the controller. Skipped without root, ip, bird, wg, wireguard-go,
nft and the binary that PRIVATEER names.
"""

import json
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from support import LONG, mesh_ready

from daemons import wait_until
from namespaces import LabError, kill_and_wait
from small_mesh import CONTROLLER, UNDERLAY, SmallMesh

NODES = ("ann", "bob", "cat")
TWIN = "twin"


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class DoctorAllTest(unittest.TestCase):
    def setUp(self):
        self.mesh = SmallMesh("sovall-", NODES)
        self.addCleanup(self.mesh.close)
        self.mesh.up()

    def ask(self, where):
        began = time.monotonic()
        done = self.mesh.privateer(where, "doctor", "--all", "--json", check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.took = time.monotonic() - began
        self.assertTrue(done.stdout, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["healthy"], done.returncode == 0)
        return {one["node"]: one for one in report["nodes"]}

    def codes(self, where):
        return {node: sorted({finding["code"] for finding in one["findings"]}) for node, one in self.ask(where).items()}

    def until(self, what, where, holds):
        try:
            wait_until(what, lambda: holds(self.codes(where)), 60, 0.5)
        except LabError as error:
            raise AssertionError(f"{error}: {json.dumps(self.ask(where), indent=1)}") from None

    def test_every_node_is_asked_at_once_from_anywhere(self):
        mesh, healthy = self.mesh, dict.fromkeys(NODES, [])
        self.until("nothing is found anywhere", "ann", lambda codes: codes == healthy)
        self.until("the same from the controller", CONTROLLER, lambda codes: codes == healthy)
        self.assertEqual([node for node, one in self.ask("bob").items() if not one["answered"] or one["blind"]], [])
        healthy_took = self.took
        table = mesh.privateer("cat", "doctor", "--all").stdout
        self.assertRegex(table, r"(?m)^ann +nothing found$")

        # Faults that no agent mends, on two nodes; asked from the third.
        mesh.daemons.stop("cat", "agent", signal.SIGTERM)
        drop = "table inet doctorall { chain c { type filter hook input priority 0; " \
               "iifname \"wg-ann\" udp dport { 3784, 3785 } drop; }; }"
        self.run_in("bob", "nft", drop)
        wanted = lambda codes: "full-without-bfd" in codes["bob"] and codes["cat"] == ["node-unreachable"]
        self.until("both are found from ann", "ann", wanted)
        text = mesh.privateer("ann", "doctor", "--all", check=False).stdout
        self.assertRegex(text, r"(?m)^cat +does not answer$")
        self.assertRegex(text, r"(?m)^bob: error: .*\[full-without-bfd\]\n    fix: ")
        if LONG:
            said = lambda: self.ask("ann")["cat"]["findings"][0]["what"]
            wait_until("cat is known to be silent, and not waited for", lambda: "s ago" in said(), 60, 1)
        self.run_in("bob", "nft", "delete", "table", "inet", "doctorall")
        mesh.start_agent("cat")
        self.until("everything is mended", "bob", lambda codes: codes == healthy)

        # Without the controller nobody can be asked, and that is said.
        mesh.daemons.stop(CONTROLLER, "controller", signal.SIGTERM)
        done = mesh.privateer("ann", "doctor", "--all", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the controller cannot be asked", done.stderr)
        print(f"an examination of three nodes took {healthy_took:.1f} s")

    def test_a_copied_machine_is_told_by_the_controller_and_by_the_neighbours(self):
        mesh = self.mesh
        self.until("nothing is found anywhere", "ann", lambda codes: codes == dict.fromkeys(NODES, []))
        # A restart is none, however it looks from outside.
        mesh.daemons.stop("cat", "agent", signal.SIGTERM)
        mesh.start_agent("cat")
        self.copy("bob")
        self.until("bob is told that it is two", "ann", lambda codes: "duplicate-node" in codes["bob"])
        self.until("a neighbour sees two places", "ann", lambda codes: "endpoint-flaps" in codes["ann"])
        found = self.ask("ann")
        for node, code in (("bob", "duplicate-node"), ("ann", "endpoint-flaps")):
            finding = next(one for one in found[node]["findings"] if one["code"] == code)
            self.assertIn("two machines run as bob" if node == "ann" else "another machine runs as bob",
                          finding["what"])
            self.assertIn("join with a token of its own", finding["fix"])
        self.assertNotIn("duplicate-node", self.codes("ann")["cat"] + self.codes("ann")["ann"])
        log = mesh.daemons.log(CONTROLLER, "controller").read_text(encoding="utf-8")
        self.assertIn("two machines run as 'bob'", log)
        kill_and_wait(mesh.spaces.pids(mesh.spaces.name(TWIN)), signal.SIGKILL, 5)
        if LONG:
            self.until("everything is mended", "ann", lambda codes: codes == dict.fromkeys(NODES, []))

    def copy(self, node):
        """Another machine from a copy of this one's disk, at another address."""
        mesh = self.mesh
        mesh.spaces.create([TWIN])
        subprocess.run(["ip", "-n", mesh.spaces.name(CONTROLLER), "link", "add", f"to-{TWIN}", "type", "veth", "peer",
                        "under", "netns", mesh.spaces.name(TWIN)], check=True)
        mesh.spaces.ip(CONTROLLER, f"link set to-{TWIN} master under0 up")
        mesh.spaces.ip(TWIN, f"addr add {UNDERLAY}.62/24 dev under", "link set under up")
        shutil.copytree(mesh.path(node, "state"), mesh.path(TWIN, "state"))
        settings = pathlib.Path(mesh.path(node, "privateer.yaml")).read_text(encoding="utf-8")
        pathlib.Path(mesh.path(TWIN, "privateer.yaml")).write_text(
            settings.replace(mesh.path(node), mesh.path(TWIN)), encoding="utf-8")
        mesh.start_agent(TWIN)

    def run_in(self, node, *argv):
        subprocess.run(self.mesh.spaces.argv(node, *argv), check=True)


if __name__ == "__main__":
    unittest.main()
