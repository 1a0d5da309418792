"""A removed node's certificate, which is good for days yet, at a real Navigator that gives private keys to edges: on a
connection that it kept open and on a new one. Skipped without root, ip, bird, wg, wireguard-go, nft, openssl and the
binaries that PRIVATEER and NAVIGATOR name."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

from support import mesh_ready

import mesh_names_test
from daemons import wait_until
from small_mesh import SmallMesh

PORT = 18010
# Asks for a bundle on one connection that stays open whenever a line comes, and says the status.
THIEF = """
import http.client, ssl, sys
host, port, ca, certificate, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
context.load_cert_chain(certificate, key)
connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)
for target in sys.stdin:
    connection.auto_open = connection.sock is None
    connection.request("GET", target.strip())
    answer = connection.getresponse()
    answer.read()
    print(answer.status, flush=True)
"""


@unittest.skipUnless(mesh_ready() and os.access(mesh_names_test.NAVIGATOR, os.X_OK) and shutil.which("openssl"),
                     "needs root, the mesh's programs, openssl and NAVIGATOR")
class RevokedCertificatesTest(unittest.TestCase):
    def setUp(self):
        self.mesh = mesh = SmallMesh("sovrev-", ("ann", "bob"))
        self.addCleanup(mesh.close)
        mesh.start_controller()
        for node in mesh.nodes:
            mesh.join(node)
        mesh.start_agent("ann")
        state = lambda name: mesh.path("ann", "state", name)
        self.list = pathlib.Path(state("ca.crl"))
        config = mesh.path("ann", "navigator.yaml")
        pathlib.Path(mesh.path("ann", "navigator_topology.yaml")).write_text(
            mesh.topology() + "clusters:\n  - {name: here, site: here, nodes: [bob]}\n", encoding="utf-8")
        pathlib.Path(config).write_text(json.dumps({
            "node": "ann", "store": {"url": "sqlite://" + mesh.path("ann", "navigator.db")},
            "topology": mesh.path("ann", "navigator_topology.yaml"),
            "api": {"unix": mesh.path("ann", "api.sock"), "listen": f"{mesh.underlay('ann')}:{PORT}",
                    "tls": {"certificate": state("node.crt"), "key": state("node.key"), "ca": state("ca.crt")}},
            "acme": {"directory": "https://localhost:1/dir", "contact": "mailto:ops@example.org",
                     "master_key": mesh.path("ann", "master.key")},
            "powerdns": {"control": []}}), encoding="utf-8")
        mesh.daemons.start("ann", "navigator", mesh_names_test.NAVIGATOR, "--config", config, "serve")
        wait_until("Navigator listens", lambda: self.connects(), 30, 0.1)

    def connects(self):
        probe = f"import socket; socket.create_connection(('{self.mesh.underlay('ann')}', {PORT}), 1)"
        return subprocess.run(self.mesh.spaces.argv("bob", "python3", "-c", probe), capture_output=True,
                              check=False).returncode == 0

    def thief(self):
        state = lambda name: self.mesh.path("bob", "state", name)
        process = subprocess.Popen(
            self.mesh.spaces.argv("bob", "python3", "-c", THIEF, self.mesh.underlay("ann"), str(PORT), state("ca.crt"),
                                  state("node.crt"), state("node.key")),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self.addCleanup(end)

        def ask(target):
            process.stdin.write(target + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())
        return ask

    def listed(self):
        done = subprocess.run(["openssl", "crl", "-in", str(self.list), "-noout", "-text"], capture_output=True,
                              text=True, check=False)
        return done.stdout.count("Serial Number:") if done.returncode == 0 else -1

    def test_who_was_removed_gets_nothing_more(self):
        wait_until("the agent has the list", lambda: self.listed() == 0, 20, 0.05)
        kept = self.thief()
        self.assertEqual(kept("/v1/edge/bundles?since=0"), 200)
        self.assertEqual(kept("/v1/edge/bundles/tenant-1"), 404)  # it may ask, and there is none
        began = time.monotonic()
        self.mesh.control("node", "remove", "bob")
        wait_until("the agent has the next list", lambda: self.listed() == 1, 20, 0.02)
        took = time.monotonic() - began
        self.assertEqual(kept("/v1/edge/bundles/tenant-1"), 403)
        self.assertEqual(self.thief()("/v1/edge/bundles/tenant-1"), 403)
        self.assertIn("'bob' at", self.mesh.daemons.tail("ann", "navigator", 20))
        print(f"from `privateer node remove` to the refusal: {took:.2f} s")
        # With the controller dead, and after a restart of Navigator's agent, it stays so.
        self.mesh.daemons.stop("ctl", "controller")
        self.assertEqual(self.thief()("/v1/edge/bundles?since=0"), 403)


if __name__ == "__main__":
    unittest.main(verbosity=2)
