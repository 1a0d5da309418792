"""A controller whose address comes later than itself, as after a power cut. Skipped without root, ip, bird, wg,
wireguard-go, nft and the binary that PRIVATEER names."""

import unittest

from support import PRIVATEER, mesh_ready

from daemons import wait_until
from small_mesh import CONTROLLER, UNDERLAY, SmallMesh


@unittest.skipUnless(mesh_ready(), "needs root and the mesh's programs")
class LateAddressTest(unittest.TestCase):
    def test_it_waits_for_its_address(self):
        mesh = SmallMesh("sovlate-", ("ann",))
        self.addCleanup(mesh.close)
        address = f"{UNDERLAY}.100/24 dev under0"
        mesh.spaces.ip(CONTROLLER, f"addr del {address}")
        mesh.daemons.start(CONTROLLER, "controller", PRIVATEER, "--config", mesh.path(CONTROLLER, "privateer.yaml"),
                           "controller")
        said = lambda: mesh.daemons.log(CONTROLLER, "controller").read_text(encoding="utf-8")
        wait_until("it says that the address is not there", lambda: "not listening yet" in said(), 20, 0.05)
        self.assertEqual(mesh.control("token", "list", check=False).returncode, 0, "operators reach it meanwhile")
        mesh.spaces.ip(CONTROLLER, f"addr add {address}")
        listens = f"listening on {UNDERLAY}.100"
        wait_until("it listens", lambda: listens in said().split("not listening yet")[1], 20, 0.05)
        mesh.join("ann")


if __name__ == "__main__":
    unittest.main(verbosity=2)
