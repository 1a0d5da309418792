"""A mesh whose controller never had the root's key: nodes join, renew, and talk to a Navigator over mTLS, while what
the controller issues with is replaced, and ends. Skipped without root, the mesh's programs, openssl and the binaries
that PRIVATEER and NAVIGATOR name."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest
from datetime import datetime, timedelta, timezone

from support import PRIVATEER, ROOT, mesh_ready

from daemons import wait_until
from small_mesh import CONTROLLER, SmallMesh

NAVIGATOR = os.environ.get("NAVIGATOR", str(ROOT / "build/release/bin/navigator"))
EDGE, HOST, LATE = "ann", "bob", "cat"
NODES = (EDGE, HOST, LATE)
PORT = 18010
CA_CONFIG = ("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
             "unique_subject=no\nx509_extensions=leaf\n[p]\ncommonName=supplied\n[leaf]\n"
             "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
             "extendedKeyUsage=serverAuth,clientAuth\n")


@unittest.skipUnless(mesh_ready() and shutil.which("openssl") and os.access(NAVIGATOR, os.X_OK),
                     "needs root, ip, bird, wg, wireguard-go, nft, openssl, PRIVATEER and NAVIGATOR")
class OfflineRootTest(unittest.TestCase):
    def setUp(self):
        self.mesh = mesh = SmallMesh("sovroot-", NODES)
        self.addCleanup(mesh.close)
        self.vault = mesh.state / "vault"
        self.change(CONTROLLER, lambda settings: settings["serve"].update(root="elsewhere"))
        self.change(EDGE, lambda settings: settings.update(edge={
            "name": HOST, "navigators": [f"https://{mesh.underlay(HOST)}:{PORT}"],
            "directory": mesh.path(EDGE, "certificates"), "nginx_file": mesh.path(EDGE, "tenants.conf"),
            "reload": ["true"]}))

    def change(self, node, how):
        file = pathlib.Path(self.mesh.path(node, "privateer.yaml"))
        settings = json.loads(file.read_text(encoding="utf-8"))
        how(settings)
        file.write_text(json.dumps(settings), encoding="utf-8")

    # What people do

    def ca(self, *words, check=True):
        done = subprocess.run([PRIVATEER, "ca", *words], capture_output=True, text=True, timeout=30, check=False)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def request(self):
        file = self.mesh.path(CONTROLLER, "issuing.csr")
        self.mesh.control("ca", "request", "--output", file)
        return file

    def sign(self, lifetime):
        file = str(self.vault / f"issuing-{lifetime}.pem")
        self.ca("sign", self.request(), "--directory", str(self.vault), "--lifetime", lifetime, "--output", file)
        return file

    def replace(self, lifetime):
        """The certificate that is issued with from now on; the controller has taken it when this returns."""
        self.mesh.control("ca", "install", self.sign(lifetime), check=False)  # exit code 1: it ends soon
        shown = pathlib.Path(self.mesh.path(CONTROLLER, "state", "controller", "controller.crt"))
        own = lambda: self.certificates(shown)
        wait_until("the controller shows a certificate by it", lambda: own()[1] == self.issuing(), 20, 0.1)

    def status(self):
        done = self.mesh.control("ca", "status", "--json", check=False)
        return json.loads(done.stdout)

    # What is on disk

    @staticmethod
    def certificates(file):
        begin = "-----BEGIN CERTIFICATE-----"
        return [begin + part for part in file.read_text(encoding="ascii").split(begin)[1:]]

    def issuing(self):
        return self.certificates(pathlib.Path(self.mesh.path(CONTROLLER, "state", "controller", "issuing.pem")))[0]

    def of(self, node):
        return self.certificates(pathlib.Path(self.mesh.path(node, "state", "node.crt")))

    def age(self, node, begin_h, end_h):
        """The node's certificate as it would be if these were its hours; its agent is started with it."""
        folder = pathlib.Path(self.mesh.path(CONTROLLER, f"aged{begin_h}"))
        folder.mkdir()
        (folder / "index").touch()
        (folder / "ca.cnf").write_text(CA_CONFIG + f"subjectAltName=DNS:{node},DNS:{node}.internal\n", encoding="ascii")
        issuing = self.mesh.path(CONTROLLER, "state", "controller", "issuing.pem")
        openssl = lambda *words: subprocess.run(("openssl", *words), cwd=folder, check=True, capture_output=True)
        at = lambda hours: (datetime.now(timezone.utc) + timedelta(hours=hours)).strftime("%y%m%d%H%M%SZ")
        openssl("req", "-new", "-key", self.mesh.path(node, "state", "node.key"), "-subj", f"/CN={node}", "-out", "csr")
        openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", issuing, "-keyfile", issuing, "-in", "csr",
                "-out", "crt", "-startdate", at(begin_h), "-enddate", at(end_h))
        self.mesh.daemons.stop(node, "agent")
        aged = (folder / "crt").read_text(encoding="ascii") + self.issuing()
        pathlib.Path(self.mesh.path(node, "state", "node.crt")).write_text(aged, encoding="ascii")
        self.mesh.start_agent(node)
        return aged

    # What is seen

    def controller_of(self, node):
        return self.mesh.status(node).get("controller", {"connected": False, "failure": "no status"})

    def connected(self, *nodes):
        for node in nodes:
            self.mesh.wait(f"{node} follows the controller", lambda n=node: self.controller_of(n)["connected"], 40, 0.2,
                           [node])

    def edge_is_served(self):
        """The edge's long poll: a certificate of one node's, a server with another's, the root between them."""
        self.mesh.daemons.stop(EDGE, "agent")
        self.mesh.start_agent(EDGE)
        served = lambda: self.mesh.status(EDGE).get("edge", {"navigator": "", "last_error": "no status"})
        try:
            wait_until("the Navigator answers the edge", lambda: served()["navigator"] and not served()["last_error"],
                       20, 0.1)
        except Exception as error:
            raise AssertionError(f"{error}: {served()}\n{self.mesh.daemons.tail(HOST, 'navigator', 9)}") from error

    def start_navigator(self):
        mesh, state = self.mesh, self.mesh.path(HOST, "state")
        config = pathlib.Path(mesh.path(HOST, "navigator.yaml"))
        config.write_text(json.dumps({
            "store": {"url": "sqlite://" + mesh.path(HOST, "navigator.db")},
            "api": {"unix": mesh.path(HOST, "api.sock"), "listen": f"{mesh.underlay(HOST)}:{PORT}",
                    "tls": {"certificate": f"{state}/node.crt", "key": f"{state}/node.key", "ca": f"{state}/ca.crt"}},
            "topology": mesh.path(CONTROLLER, "topology.yaml"),
            "acme": {"directory": "https://192.0.2.1/dir", "contact": "mailto:ops@stream.example",
                     "master_key": mesh.path(HOST, "master.key")},
            "powerdns": {"control": []}}), encoding="utf-8")
        mesh.daemons.start(HOST, "navigator", NAVIGATOR, "--config", str(config), "serve")
        wait_until("Navigator listens", lambda: os.path.exists(mesh.path(HOST, "api.sock")), 20, 0.05)

    # The story

    def begin(self):
        self.ca("create", "--directory", str(self.vault))
        first = self.mesh.privateer(CONTROLLER, "controller", check=False)
        self.assertEqual(first.returncode, 1)
        self.assertIn("the root is kept elsewhere", first.stderr)
        self.assertIn("privateer ca request", first.stderr)
        self.mesh.control("ca", "install", self.sign("30d"))
        self.assertNotEqual(self.ca("create", "--directory", str(self.vault), check=False).returncode, 0)
        self.mesh.start_controller()
        for node in (EDGE, HOST):
            self.mesh.join(node)
            self.mesh.start_agent(node)
        self.mesh.wait_full([EDGE, HOST], 1)
        self.connected(EDGE, HOST)

    def no_root_key_near_the_controller(self):
        key = (self.vault / "ca.key").read_text(encoding="ascii")
        for node in (CONTROLLER, *NODES):
            for file in pathlib.Path(self.mesh.path(node)).rglob("*"):
                if file.is_file():
                    self.assertNotIn(key, file.read_text(encoding="utf-8", errors="replace"), str(file))
        self.assertFalse(self.status()["root_key_here"])

    def what_is_shown(self):
        root = (self.vault / "ca.crt").read_text(encoding="ascii")
        for node in (EDGE, HOST):
            self.assertEqual(self.of(node)[1:], [self.issuing()])
            self.assertEqual(pathlib.Path(self.mesh.path(node, "state", "ca.crt")).read_text(encoding="ascii"), root)
            left = self.controller_of(node)["issuer_until_s"] - datetime.now(timezone.utc).timestamp()
            self.assertAlmostEqual(left / 86400, 30, delta=0.1)

    def replaced(self):
        """Another certificate to issue with: nobody does anything, an earlier token still joins, and who renews gets
        the new chain, which who has the old one believes."""
        token, old = self.mesh.token("--node", LATE), self.issuing()
        self.replace("20d")
        self.assertNotEqual(self.issuing(), old)
        self.mesh.join(LATE, token)
        self.mesh.start_agent(LATE)
        self.connected(LATE)
        self.assertEqual(self.of(LATE)[1], self.issuing())
        aged = self.age(EDGE, -40, 30)  # more than half of its life is over
        wait_until("the edge's certificate was renewed", lambda: "".join(self.of(EDGE)) != aged, 20, 0.1)
        self.assertEqual([self.of(EDGE)[1], self.of(HOST)[1]], [self.issuing(), old])
        self.connected(*NODES)
        self.edge_is_served()

    def ended(self):
        """What is issued with ends: it is refused everywhere with a sentence, and the next one mends all of it."""
        late = self.sign("8s")
        self.replace("8s")
        wait_until("it has ended", lambda: self.status()["issuing_left_s"] <= 0, 20, 0.2)
        done = self.mesh.control("ca", "status", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("what this controller issues certificates with ended at", done.stdout)
        refused = self.mesh.control("ca", "install", late, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("ended at", refused.stderr)
        joined = self.mesh.join(LATE, check=False)
        self.assertNotEqual(joined.returncode, 0)
        self.assertIn("what this controller issues certificates with ended at", joined.stderr)
        self.mesh.daemons.stop(LATE, "agent")
        self.mesh.start_agent(LATE)
        wait_until("a node says what it is", lambda: "certificate has expired" in self.controller_of(LATE)["failure"],
                   30, 0.2)
        self.assertEqual(self.mesh.full(LATE), (2, 2), "the mesh runs without the controller")
        self.replace("30d")
        self.connected(*NODES)

    def a_certificate_that_has_ended(self):
        self.age(HOST, -80, -8)
        self.connected(HOST)
        self.assertTrue(self.mesh.logged(HOST, "it had ended, and this node showed the keys it joined with"))
        self.assertEqual(self.of(HOST)[1], self.issuing())

    def test_the_roots_key_is_never_where_the_controller_is(self):
        self.begin()
        self.no_root_key_near_the_controller()
        self.what_is_shown()
        self.start_navigator()
        self.edge_is_served()
        self.replaced()
        self.mesh.wait_full()
        self.ended()
        self.a_certificate_that_has_ended()
        self.edge_is_served()
        self.no_root_key_near_the_controller()
        print("    joined, renewed, replaced, ended and mended; the root's key was never there", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
