#!/usr/bin/env python3
"""A tenant's other host gets a certificate by certbot with a hook that speaks acme-dns, and knows nothing but the address
of Navigator's API: it registers there, its owner sets the CNAME that it names, and it sets its challenge values itself.

Needs certbot with python3-requests, pebble, openssl and pdns_server. Debian's lego is built without its provider."""
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
# What certbot's users run as --manual-auth-hook: the token is in the address alone.
HOOK = """\
import json, os, requests
url, file, name = os.environ["ACMEDNS_URL"], os.environ["ACMEDNS_ACCOUNTS"], os.environ["CERTBOT_DOMAIN"]
accounts = json.load(open(file)) if os.path.exists(file) else {}
if name not in accounts:
    answer = requests.post(url + "/register", timeout=20)
    answer.raise_for_status()
    accounts[name] = answer.json()
    json.dump(accounts, open(file, "w"))
if os.environ["CERTBOT_VALIDATION"]:
    one = accounts[name]
    head = {"X-Api-User": one["username"], "X-Api-Key": one["password"]}
    body = {"subdomain": one["subdomain"], "txt": os.environ["CERTBOT_VALIDATION"]}
    requests.post(url + "/update", headers=head, json=body, timeout=20).raise_for_status()
"""


@unittest.skipUnless(shutil.which("certbot") and certificate_stack.programs_are_there(), "certbot and pebble are needed")
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
tenants: {{ self_service: true, challenge_zone: acme.stream.example, plans: [{{ name: basic }}] }}
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
        self.navigator.command("tenant", "create", "acme-tv", "--plan", "basic", "--primary", "ams")
        made = self.navigator.command("token", "create", "--tenant", "acme-tv", "--action", "acme", "--json").stdout
        self.token = json.loads(made)["token"]

    def certbot(self):
        hook = self.folder.write("hook.py", HOOK)
        return daemons.run(
            "certbot", "certonly", "--non-interactive", "--agree-tos", "-m", "ops@customer.example", "--manual",
            "--preferred-challenges", "dns", "--manual-auth-hook", f"python3 {hook}", "--server",
            f"https://localhost:{self.pebble.port}/dir", "-d", NAME,
            *(f"--{kind}-dir={self.folder.path('certbot-' + kind)}" for kind in ("config", "work", "logs")),
            check=False, timeout=120, env={"REQUESTS_CA_BUNDLE": self.folder.path("ca.pem"), **self.settings()})

    def settings(self):
        return {"ACMEDNS_URL": f"https://host:{self.token}@localhost:{self.port}",
                "ACMEDNS_ACCOUNTS": self.folder.path("accounts.json"),
                "REQUESTS_CA_BUNDLE": self.folder.path("ca.pem"), "CERTBOT_DOMAIN": NAME}

    def register(self, credentials):
        context = ssl.create_default_context(cafile=self.folder.path("ca.pem"))
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)
        self.addCleanup(connection.close)
        headers = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
        connection.request("POST", "/register", body="{}", headers=headers)
        return connection.getresponse().status

    def test_certbot_gets_a_certificate_by_a_hook_that_registers(self):
        hook = self.folder.write("hook.py", HOOK)
        daemons.run("python3", hook, env={**self.settings(), "CERTBOT_VALIDATION": ""})
        with open(self.folder.path("accounts.json"), encoding="utf-8") as file:
            account = json.load(file)[NAME]
        self.assertTrue(account["fulldomain"].endswith(".acme.stream.example"), account)
        self.navigator.import_zone("customer.example", f"{ZONE}_acme-challenge.host CNAME {account['fulldomain']}.\n")
        done = self.certbot()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.folder.log("pebble.log")[-2000:])
        self.assertTrue(os.path.exists(self.folder.path(f"certbot-config/live/{NAME}/fullchain.pem")))
        listed = self.navigator.command("tenant", "registration", "list", "acme-tv", "--json").stdout
        self.assertIn(account["subdomain"], listed)
        self.assertNotIn(self.token, self.folder.log("navigator.log"))

    def test_a_password_that_is_no_token_registers_nothing(self):
        for wrong in ("host:guess", "host:", self.token, ":"):
            self.assertEqual(self.register(wrong), 401, wrong)
        self.assertEqual(self.register(":" + self.token), 201)


if __name__ == "__main__":
    unittest.main()
