#!/usr/bin/env python3
"""Commands on a replica whose daemon does not run: what writes goes to the primary, or is refused. The replica's own
store, which the primary's next change would overwrite, stays as it is."""
import contextlib
import http.client
import json
import os
import socket
import ssl
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402

ZONE = "$TTL 300\n@ SOA ns1 h 1 7200 1800 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n"
TOPOLOGY = """\
name: platform
domain: stream.example
mesh: {prefix4: 10.200.0.0/16, prefix6: "fd00:200::/48", shape: full}
sites: [{name: ams}]
nodes:
  - {name: dns-ams, site: ams, underlay: [198.18.1.1]}
  - {name: edge-ams, site: ams, underlay: [198.18.1.2]}
clusters:
  - {name: ams, site: ams, nodes: [edge-ams], monitor: {type: tcp, port: 443}}
"""
STEERING = "pools:\n  - {name: web, origins: [{name: o, address: 192.0.2.1}]}\n"


class ReplicaCommands(unittest.TestCase):
    def setUp(self):
        self.folder = daemons.Folder(prefix="navigator-replica-")
        self.addCleanup(self.folder.remove)
        self.certificates(("primary", "replica"))
        self.port = daemons.free_port()
        self.replica_port = daemons.free_port()
        path = self.folder.path
        tls = "{{ certificate: {0}.pem, key: {0}.key, ca: {1} }}".format
        self.primary = self.navigator(
            "primary",
            f"topology: {self.folder.write('topology.yaml', TOPOLOGY)}\n"
            f"api: {{ unix: {path('primary.sock')}, listen: \"127.0.0.1:{self.port}\", admins: [node-replica],"
            f" tls: {tls(path('node-primary'), path('ca.pem'))} }}\n",
        )
        self.replica = self.navigator(
            "replica",
            f"api: {{ unix: {path('replica.sock')}, listen: \"127.0.0.1:{self.replica_port}\","
            f" key_file: {self.folder.write('api.key', 'sixteen-or-more-letters')} }}\n"
            f"replica: {{ primary: \"https://127.0.0.1:{self.port}\","
            f" node: node-primary, tls: {tls(path('node-replica'), path('ca.pem'))} }}\n",
        )

    def certificates(self, names):
        path = self.folder.path
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        daemons.run("openssl", "req", "-x509", *curve, "-days", "2", "-subj", "/CN=test authority", "-keyout",
                    path("ca.key"), "-out", path("ca.pem"))
        for name in names:
            node = "node-" + name
            daemons.run("openssl", "req", *curve, "-subj", "/CN=" + node, "-keyout", path(node + ".key"), "-out",
                        path(node + ".csr"))
            extensions = self.folder.write("extensions", f"subjectAltName=DNS:{node}\n")
            daemons.run("openssl", "x509", "-req", "-in", path(node + ".csr"), "-CA", path("ca.pem"), "-CAkey",
                        path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                        path(node + ".pem"))

    def navigator(self, name, api):
        """A Navigator whose store is NAME.db, and whose socket for the API is NAME.sock."""
        navigator = navigator_daemon.Navigator(self.folder)
        navigator.api = self.folder.path(name + ".sock")
        navigator.config = self.folder.write(
            name + ".yaml", f"store: {{ url: \"sqlite://{self.folder.path(name + '.db')}\" }}\n{api}"
        )
        self.addCleanup(navigator.stop)
        return navigator

    def writing_commands(self):
        zone = self.folder.write("example.org.zone", ZONE)
        return (
            ("zone", "create", "made.example", "--ns", "ns1.example.net"),
            ("zone", "import", "example.org", zone),
            ("zone", "set-account", "example.org", "someone"),
            ("metadata", "set", "example.org", "ALLOW-AXFR-FROM", "127.0.0.1"),
            ("tsig", "create", "key1"),
            ("steering", "apply", self.folder.write("steering.yaml", STEERING)),
            ("zone", "delete", "made.example"),
        )

    def test_without_its_primary_every_one_is_refused_with_the_reason(self):
        for words in self.writing_commands():
            done = self.replica.command(*words, check=False)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn("this is a replica, nothing was written", done.stderr, words)
            self.assertIn(f"https://127.0.0.1:{self.port}", done.stderr, words)
        self.assertNotIn("example", self.replica.command("zone", "list").stdout)

    def test_a_primary_that_took_the_request_and_fell_silent_may_have_done_it(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder.path("node-primary.pem"), self.folder.path("node-primary.key"))
        listener = socket.create_server(("127.0.0.1", self.port))
        self.addCleanup(listener.close)

        def take_one():
            with contextlib.suppress(OSError):
                with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                    connection.recv(65536)

        taker = threading.Thread(target=take_one, daemon=True)
        taker.start()
        done = self.replica.command("tsig", "create", "key1", check=False)
        taker.join(10)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("it may have been done", done.stderr)
        self.assertNotIn("nothing was written", done.stderr)

    def test_with_its_primary_every_one_is_done_there(self):
        self.primary.start()
        for words in self.writing_commands():
            self.replica.command(*words)
        self.assertIn("example.org.", self.primary.command("zone", "list").stdout)
        self.assertIn("key1", self.primary.command("tsig", "list").stdout)
        self.assertNotIn("example", self.replica.command("zone", "list").stdout, "its store waits for the feed")

    def ask(self, method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.replica_port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def test_nobody_borrows_the_replicas_rights_at_the_primary(self):
        """It passes tenants on under its own certificate, which may do everything."""
        self.primary.start()
        self.replica.start()
        self.primary.command("zone", "create", "stream.example", "--ns", "ns1.example.net")
        self.primary.command("steering", "apply", self.folder.write("steering.yaml", STEERING))
        self.primary.command("tenant", "create", "acme-tv", "--plan", "basic", "--primary", "ams")
        tenants = self.primary.command("token", "create", "--tenant", "acme-tv").stdout.strip()
        # It is known there, and may see its own tenant.
        as_tenant = {"Authorization": "Bearer " + tenants}
        self.assertEqual(self.ask("GET", "/v1/tenants/acme-tv", None, as_tenant)[0], 200)
        report = {"endpoint": "ams/edge-ams", "success": False, "sequence": 1, "at_ms": 1}
        status, text = self.ask("POST", "/v1/reports", report, as_tenant)
        self.assertEqual(status, 403, text)
        before = self.primary.command("token", "list").stdout
        for headers in ({"X-Api-User": "x"}, {"X-Api-User": "x", "X-Api-Key": "y"}, {"Authorization": "Bearer x"}):
            status, text = self.ask("POST", "/v1/tokens", {"admin": True}, headers)
            self.assertIn(status, (401, 403), (headers, text))
            status, text = self.ask("DELETE", "/v1/zones/stream.example", None, headers)
            self.assertIn(status, (401, 403), (headers, text))
        self.assertEqual(self.primary.command("token", "list").stdout, before)
        self.assertIn("stream.example", self.primary.command("zone", "list").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
