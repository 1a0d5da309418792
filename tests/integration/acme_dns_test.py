#!/usr/bin/env python3
"""A tenant's other host gets a certificate by lego's acme-dns provider, with nothing but the address of Navigator's
API: it registers there, its owner sets the CNAME that it names, and it sets its challenge values itself.

Needs lego, pebble, openssl and pdns_server."""
import base64
import http.client
import json
import os
import shutil
import ssl
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns_server  # noqa: E402

ZONE = "$TTL 5\n@ SOA ns1 h 1 3600 600 86400 5\n@ NS ns1\nns1 A 127.0.0.1\n"
NAME = "host.customer.example"


@unittest.skipUnless(shutil.which("lego") and certificate_stack.programs_are_there(), "lego and pebble are needed")
class AcmeDns(unittest.TestCase):
    def setUp(self):
        self.folder = daemons.Folder(prefix="navigator-acme-dns-")
        self.addCleanup(self.folder.remove)
        certificate_stack.make_tls(self.folder)
        topology = self.folder.write("topology.yaml", certificate_stack.TOPOLOGY)
        self.port = daemons.free_port()
        self.pdns = powerdns_server.PowerDns(self.folder, "pdns", powerdns_server.unix(self.folder.path("remote.sock")),
                                             powerdns_server.CACHES_OFF)
        self.navigator = navigator_daemon.Navigator(
            self.folder, [self.pdns.control], extra=f"""\
topology: {topology}
tenants: {{ self_service: true, challenge_zone: acme.stream.example }}
""", api=f'listen: "127.0.0.1:{self.port}", {certificate_stack.tls(self.folder)}')
        self.addCleanup(self.navigator.stop)
        self.navigator.start()
        for zone in ("stream.example", "acme.stream.example", "customer.example"):
            self.navigator.import_zone(zone, ZONE)
        self.addCleanup(self.pdns.stop)
        self.pdns.start()
        self.pebble = certificate_stack.Pebble(self.folder, self.pdns.port, 0)
        self.addCleanup(self.pebble.stop)
        self.pebble.start()
        self.navigator.command("tenant", "create", "acme-tv", "--primary", "ams")
        made = self.navigator.command("tenant", "token", "create", "acme-tv", "--action", "acme", "--json").stdout
        self.token = json.loads(made)["token"]

    def lego(self):
        return daemons.run(
            "lego", "--accept-tos", "--path", self.folder.path("lego"), "--server",
            f"https://localhost:{self.pebble.port}/dir", "--email", "ops@customer.example", "--dns", "acme-dns",
            "--dns.disable-cp", "--dns.resolvers", f"127.0.0.1:{self.pdns.port}", "--domains", NAME, "run",
            check=False, timeout=120,
            env={"ACME_DNS_API_BASE": f"https://host:{self.token}@localhost:{self.port}",
                 "ACME_DNS_STORAGE_PATH": self.folder.path("accounts.json"),
                 "LEGO_CA_CERTIFICATES": self.folder.path("ca.pem"), "SSL_CERT_FILE": self.folder.path("ca.pem")})

    def register(self, credentials):
        context = ssl.create_default_context(cafile=self.folder.path("ca.pem"))
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)
        self.addCleanup(connection.close)
        headers = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
        connection.request("POST", "/register", body="{}", headers=headers)
        return connection.getresponse().status

    def test_lego_registers_and_gets_a_certificate(self):
        first = self.lego()
        self.assertNotEqual(first.returncode, 0, "it cannot know its CNAME before it has registered")
        with open(self.folder.path("accounts.json"), encoding="utf-8") as file:
            account = json.load(file)[NAME]
        self.assertTrue(account["fulldomain"].endswith(".acme.stream.example"), first.stdout + first.stderr)
        self.assertIn(account["fulldomain"], first.stdout + first.stderr)
        self.navigator.import_zone("customer.example", f"{ZONE}_acme-challenge.host CNAME {account['fulldomain']}.\n")
        done = self.lego()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.folder.log("pebble.log")[-2000:])
        self.assertTrue(os.path.exists(self.folder.path(f"lego/certificates/{NAME}.crt")))
        listed = json.loads(self.navigator.command("tenant", "registration", "list", "acme-tv", "--json").stdout)
        self.assertIn(account["subdomain"], json.dumps(listed))
        self.assertNotIn(self.token, self.folder.log("navigator.log"))

    def test_a_password_that_is_no_token_registers_nothing(self):
        for wrong in ("host:guess", "host:", self.token, ":"):
            self.assertEqual(self.register(wrong), 401, wrong)
        self.assertEqual(self.register(":" + self.token), 201)


if __name__ == "__main__":
    unittest.main()
