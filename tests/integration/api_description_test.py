#!/usr/bin/env python3
"""docs/openapi.yaml against the routers of running daemons, in both directions; and every route against every object of
another tenant, by a tenant's token and by an edge's certificate."""
import http.client
import json
import os
import random
import re
import ssl
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402

ZONE = "$TTL 60\n@ SOA ns1 h 1 3600 600 86400 5\n@ NS ns1\nns1 A 127.0.0.1\n"
TOPOLOGY = certificate_stack.TOPOLOGY.replace("links:", """\
  - {name: edge-ams-2, site: ams, role: edge, underlay: [198.18.1.12]}
links:
  - {ends: [dns-ams, edge-ams-2], cost: 5}""") + """\
  - name: far
    site: ams
    nodes: [edge-ams-2]
    monitor: {type: tcp, port: 443, interval_ms: 500, timeout_ms: 400, consecutive_up: 2, consecutive_down: 2}
"""
# Whoever asks is told the same.
PUBLIC = {"/healthz", "/metrics", "/v1/openapi.yaml"}
# Beside a token of the tenant's own these need an account's password, or make one of the asker's own.
OWN = {"/register", "/update"}


# What is no body of any route.
BODIES = ["", "{", "[]", "null", "7", '"x"', "{}", '{"unknown": 1}', "[" * 100 + "]" * 100,
          '{"a":' * 100 + "1" + "}" * 100, "\x00\xff", "x" * 70000]
MEMBERS = """label name zone plan primary backups state contents ttl origins names monitor actions types admin
expires_in_s kind masters rrsets endpoint to for_s success sequence at_ms id fingerprint what tenant reason staging
directory chain_pem key_pem invitation subdomain txt verdicts site values account nameservers default_pools""".split()
VALUES = (None, True, -1, 2 ** 63, 1e308, "", "*", "admin", "\u0430dmin", "a..b", "x" * 300, "seen-tv",
          "stream.example", [], {}, ["a", 1, None], [{"name": "a"}], {"type": "tcp"}, "127.0.0.1")


def damaged(dice):
    """A body of members that routes know, with values that they need not like."""
    return json.dumps({dice.choice(MEMBERS): dice.choice(VALUES) for _ in range(dice.randrange(1, 6))})


def described(text):
    """(method, path) of an OpenAPI document in the form of docs/openapi.yaml."""
    found, path = set(), None
    for line in text.split("\ncomponents:\n", 1)[0].splitlines():
        if match := re.fullmatch(r"  (/\S*):", line):
            path = match[1]
        elif match := re.fullmatch(r"    (get|put|post|patch|delete):", line):
            found.add((match[1].upper(), path))
    return found


class Described(unittest.TestCase):
    """One primary with everything on, and a replica behind it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = daemons.Folder(prefix="navigator-described-")
        cls.addClassCleanup(cls.folder.remove)
        certificate_stack.make_tls(cls.folder)
        for name in ("replica", "edge-ams-1", "edge-ams-2"):
            certificate_stack.sign(cls.folder, name, f"DNS:{name}")
        topology = cls.folder.write("topology.yaml", TOPOLOGY)
        key = cls.folder.write("api.key", "0123456789abcdef\n")
        cls.port, replica_port = daemons.free_port(), daemons.free_port()
        tls = certificate_stack.tls
        cls.primary = navigator_daemon.Navigator(
            cls.folder, api=f'listen: "127.0.0.1:{cls.port}", admins: [replica], key_file: {key}, {tls(cls.folder)}',
            extra=f"""\
node: dns-ams
topology: {topology}
sites:
  - {{name: ams, node: dns-ams, address: 127.0.0.1, port: {daemons.free_port()}}}
  - {{name: far, node: replica, address: 127.0.0.2, port: {daemons.free_port()},
      url: "https://localhost:{replica_port}"}}
tenants: {{ self_service: true, challenge_zone: acme.stream.example, requests_per_second: 1000, burst: 10000 }}
acme:
  directory: "https://localhost:{daemons.free_port()}/dir"
  ca_bundle: {cls.folder.path("ca.pem")}
  contact: "mailto:ops@example.org"
  master_key: {cls.folder.path("master.key")}
""")
        cls.addClassCleanup(cls.primary.stop)
        cls.primary.start()
        for zone in ("stream.example", "acme.stream.example"):
            cls.primary.import_zone(zone, ZONE)
        folder = daemons.Folder(prefix="navigator-described-replica-")
        cls.addClassCleanup(folder.remove)
        cls.replica = navigator_daemon.Navigator(
            folder, api=f'listen: "127.0.0.1:{replica_port}", {tls(cls.folder)}', extra=f"""\
topology: {topology}
tenants: {{ self_service: true }}
replica: {{ primary: "https://127.0.0.1:{cls.port}", node: localhost, {tls(cls.folder, "replica")} }}
""")
        cls.addClassCleanup(cls.replica.stop)
        cls.replica.start()

    def get(self, navigator, target):
        status, body = navigator.call("GET", target)
        self.assertEqual(status, 200, body)
        return body

    def routes(self, navigator):
        return [(one["method"], one["path"]) for one in json.loads(self.get(navigator, "/v1/routes"))["routes"]]

    def ask(self, method, target, body, token=None, edge=None):
        """Status, what the headers say of the answer, and its body, over TLS."""
        context = ssl.create_default_context(cafile=self.folder.path("ca.pem"))
        if edge:
            context.load_cert_chain(self.folder.path(edge + ".pem"), self.folder.path(edge + ".key"))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=20)
        try:
            headers = {"Authorization": "Bearer " + token} if token else {}
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            kept = sorted((name.lower(), value) for name, value in answer.getheaders()
                          if name.lower() not in ("request-id", "date", "content-length"))
            return answer.status, kept, answer.read().decode()
        finally:
            connection.close()

    def command(self, *words):
        return json.loads(self.primary.command(*words, "--json").stdout)

    @classmethod
    def make_described(cls):
        """A tenant that routes can be asked about, once."""
        if cls.primary.call("GET", "/v1/tenants/seen-tv")[0] == 404:
            cls.primary.command("tenant", "create", "seen-tv", "--plan", "gold", "--primary", "ams")

    @staticmethod
    def values_of(path):
        name = "ns1.stream.example" if "load_balancers" in path else "seen-tv.stream.example"
        return {"label": "seen-tv", "zone": "stream.example", "name": name, "type": "A", "id": "none",
                "kind": "ALSO-NOTIFY", "ip": "192.0.2.1", "nameserver": "ns.example.org", "subdomain": "none",
                "key": "1", "server": "localhost"}

    def revision(self):
        return json.loads(self.get(self.primary, "/v1/status"))["revision"]

    @staticmethod
    def near(navigator, method, target, headers=None, body=None):
        """Status, headers and body over the unix socket."""
        connection = daemons.UnixConnection(navigator.api, 60)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def make_victim(self):
        """A tenant with one of everything; by parameter of a route the values that name what is its own."""
        self.primary.command("tenant", "create", "victim-tv", "--plan", "gold", "--primary", "ams")
        token = self.primary.command("token", "create", "--tenant", "victim-tv").stdout.strip()
        tenant = "/v1/tenants/victim-tv"

        def made(method, target, body):
            status, _, text = self.ask(method, target, json.dumps(body), token)
            self.assertIn(status, (200, 201), text)
            return json.loads(text)

        made("PUT", tenant + "/records/mail/A", {"contents": ["192.0.2.9"]})
        made("PUT", tenant + "/pools/mail", {"origins": [{"address": "203.0.113.7"}], "names": ["shop"]})
        made("POST", tenant + "/domains", {"name": "www.victim.example"})
        account = made("POST", "/register", {})
        certificate_stack.sign(self.folder, "brought", "DNS:victim-tv.stream.example,DNS:*.victim-tv.stream.example")
        read = self.folder.log
        made("PUT", tenant + "/certificates/victim-tv.stream.example",
             {"chain_pem": read("brought.pem") + read("ca.pem"), "key_pem": read("brought.key")})

        def bundles():
            status, _, text = self.ask("GET", "/v1/edge/bundles", None, edge="edge-ams-1")
            self.assertEqual(status, 200, text)
            return json.loads(text)["bundles"]

        [bundle] = daemons.wait_for("its edge has the bundle", bundles)
        listed = self.command("token", "list", "--tenant", "victim-tv")["tokens"]
        return {"label": ["victim-tv"], "id": [listed[0]["id"], bundle["id"]],
                "subdomain": [account["subdomain"]],
                "name": ["mail", "www.victim.example", "victim-tv.stream.example", "victim-tv", "tenant-1%2F1"]}

    def test_every_served_route_is_described_and_every_described_one_is_served(self):
        text = self.get(self.primary, "/v1/openapi.yaml")
        with open(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "docs", "openapi.yaml"),
                  encoding="utf-8") as file:
            self.assertEqual(file.read(), text)
        primary, replica = set(self.routes(self.primary)), set(self.routes(self.replica))
        self.assertGreater(len(primary), 120)
        self.assertEqual(sorted(primary | replica), sorted(described(text)))
        self.assertEqual(len(self.routes(self.primary)), len(primary), "a route was added twice")

    def target(self, path, values):
        return re.sub(r"{(\w+)}", lambda hole: values[hole[1]], path)

    def test_what_is_read_is_not_sent_twice(self):
        self.make_described()
        checked = 0
        for navigator in (self.primary, self.replica):
            for method, path in self.routes(navigator):
                # Figures for machines; and what waits for news.
                if method != "GET" or path in ("/metrics", "/healthz", "/v1/changes", "/v1/edge/bundles"):
                    continue
                target = self.target(path, self.values_of(path))
                status, headers, body = self.near(navigator, method, target)
                if status != 200 or headers["Content-Type"].startswith("text/plain"):
                    continue
                tag = headers["ETag"]
                self.assertTrue(tag, target)
                # What changes by itself meanwhile is sent again, under another tag.
                status, again, body = self.near(navigator, method, target, {"If-None-Match": tag})
                self.assertEqual((status, body == ""), (200, False) if again["ETag"] != tag else (304, True), target)
                checked += status == 304
        self.assertGreater(checked, 40)

    def test_bodies_are_answered_and_a_refusal_leaves_nothing(self):
        self.make_described()
        dice = random.Random(1)
        checked = refused = 0
        for method, path in self.routes(self.primary):
            if method in ("GET", "DELETE") or path == "/v1/acme/keys/rotate":
                continue
            target = self.target(path, self.values_of(path))
            for body in BODIES + [damaged(dice) for _ in range(10)]:
                before = self.revision()
                status, headers, answer = self.near(self.primary, method, target, {}, body)
                self.assertTrue(status < 500 or status == 503, f"{method} {target} {body[:200]}: {status} {answer}")
                checked += 1
                if status < 400 or status == 503:
                    continue
                refused += 1
                if self.revision() != before:  # by a round of the daemon's own, then; it does not rise twice
                    before = self.revision()
                    self.near(self.primary, method, target, {}, body)
                    self.assertEqual(self.revision(), before, f"{method} {target} {body[:200]}")
                if path.startswith("/api/"):  # PowerDNS's own: a sentence, or {"error": ...}
                    self.assertTrue(answer, target)
                    continue
                document = json.loads(answer)
                if "error" in document:  # acme-dns's own
                    self.assertTrue(document["error"])
                    continue
                self.assertEqual(headers["Content-Type"], "application/problem+json", target)
                if status in (400, 409, 412, 422):
                    self.assertTrue(document.get("errors"), f"{method} {target} {body[:200]}: {answer}")
                    for one in document["errors"]:
                        self.assertTrue(one["field"] and one["hint"], answer)
        print(f"{checked} bodies, {refused} refused", file=sys.stderr)
        self.assertGreater(refused, 500)
        self.assertEqual(self.near(self.primary, "GET", "/healthz")[0], 200)

    def test_no_route_tells_another_tenants_object_from_one_that_is_not_there(self):
        victims = self.make_victim()
        self.primary.command("tenant", "create", "asker-tv", "--plan", "gold", "--primary", "far")
        token = self.primary.command("token", "create", "--tenant", "asker-tv").stdout.strip()
        # What is not there: as long, so that nothing differs but the name.
        none = {"victim-tv": "nobody-tv", "mail": "none", "www.victim.example": "www.nobody.example",
                "victim-tv.stream.example": "nobody-tv.stream.example", "tenant-1%2F1": "tenant-9%2F9"}
        for kind in ("id", "subdomain"):
            for value in victims[kind]:
                none[value] = value.replace("tenant-1", "tenant-9") if value.startswith("tenant-") else "z" * len(value)
        fixed = {"zone": "stream.example", "kind": "ALSO-NOTIFY", "ip": "192.0.2.1", "nameserver": "ns.example.org",
                 "type": "A", "key": "1"}
        bodies = {"/records/{name}/{type}": {"contents": ["192.0.2.66"]},
                  "/pools/{name}": {"origins": [{"address": "203.0.113.66"}]},
                  "/certificates/{name}": {"chain_pem": "x", "key_pem": "x"}}
        checked, reached = 0, set()
        for method, path in self.routes(self.primary):
            if path in PUBLIC or path in OWN:
                continue
            holes = re.findall(r"{(\w+)}", path)
            body = next((value for end, value in bodies.items() if path.endswith(end)), {})
            # With the victim's label every object of his; with the asker's own label his objects' names alone.
            ways = [{}]
            for hole in holes:
                values = [fixed[hole]] if hole in fixed else list(victims[hole])
                values += ["asker-tv"] if hole == "label" else []
                ways = [{**way, hole: value} for way in ways for value in values]
            for way in ways:
                foreign = {hole: value for hole, value in way.items() if value in none}
                target = re.sub(r"{(\w+)}", lambda hole: way[hole[1]], path)
                other = re.sub(r"{(\w+)}", lambda hole: none.get(way[hole[1]], way[hole[1]]), path)
                if way.get("label") == "asker-tv" and not foreign:
                    continue
                text = json.dumps({**body, **({"name": "www.victim.example"} if path.endswith("/domains") else {})})
                for who in ({"token": token}, {"edge": "edge-ams-2"}):
                    if way.get("label") == "asker-tv" and method == "PUT" and "token" in who:
                        continue  # its own to make
                    status, headers, answer = self.ask(method, target, text, **who)
                    status2, headers2, answer2 = self.ask(method, other, text, **who)
                    for value, instead in none.items():
                        answer = answer.replace(value.replace("%2F", "/"), instead.replace("%2F", "/"))
                    self.assertEqual((status, headers, answer), (status2, headers2, answer2),
                                     f"{method} {target} {who}")
                    own_lists = not foreign and who.get("edge") and path == "/v1/edge/bundles"
                    if not own_lists:
                        self.assertTrue(400 <= status < 500, f"{method} {target} {who}: {status} {answer}")
                    checked += 1
                    reached.add(path)
        print(f"{checked} pairs of answers", file=sys.stderr)
        self.assertGreater(checked, 400)
        self.assertIn("/v1/edge/bundles/{id}", reached)
        self.assertIn("/v1/acme/certificates/{name}", reached)
        # And nothing of it was changed.
        for what in ("records/mail/A", "domains/www.victim.example", "pools/mail"):
            self.get(self.primary, "/v1/tenants/victim-tv/" + what)
        tokens = self.command("token", "list", "--tenant", "victim-tv")["tokens"]
        self.assertEqual([one["revoked_at_ms"] for one in tokens], [0])
        [certificate] = json.loads(self.get(self.primary, "/v1/certificates"))["certificates"]
        self.assertEqual(certificate["name"], "victim-tv.stream.example")


if __name__ == "__main__":
    unittest.main(verbosity=2)
