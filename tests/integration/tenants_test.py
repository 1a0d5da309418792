#!/usr/bin/env python3
"""Tenants from sign-up to their end, with the command line and with tokens over TLS, and what a real pdns_server
answers."""
import http.client
import json
import os
import signal
import socket
import ssl
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns_server  # noqa: E402

ZONE = "$TTL 60\n@ SOA ns1 h 1 3600 600 86400 5\n@ NS ns1\nns1 A 127.0.0.1\n"


class Tenants(unittest.TestCase):
    def setUp(self):
        self.folder = daemons.Folder(prefix="navigator-tenants-")
        self.addCleanup(self.folder.remove)
        certificate_stack.make_tls(self.folder)
        certificate_stack.sign(self.folder, "replica", "DNS:replica")
        self.topology = self.folder.write("topology.yaml", certificate_stack.TOPOLOGY)
        self.port = daemons.free_port()
        self.pdns = powerdns_server.PowerDns(self.folder, "pdns", powerdns_server.unix(self.folder.path("remote.sock")),
                                             powerdns_server.CACHES_OFF)
        self.navigator = navigator_daemon.Navigator(
            self.folder, api=f'listen: "127.0.0.1:{self.port}", admins: [replica], {certificate_stack.tls(self.folder)}',
            extra=f"""\
topology: {self.topology}
tenants:
  self_service: true
  challenge_zone: acme.stream.example
  resolver: 127.0.0.1
  resolver_port: {self.pdns.port}
  plans: [{{ name: basic, records: 2, domains: 2, tokens: 5 }}, {{ name: gold }}]
  sign_up: {{ mode: invitation, plan: basic, clusters: [ams], per_day: 5 }}
  origins: {{ allow: [127.0.0.0/8], refuse: [127.0.0.9] }}
""")
        self.addCleanup(self.navigator.stop)
        self.navigator.start()
        for zone in ("stream.example", "acme.stream.example", "customer.example"):
            self.navigator.import_zone(zone, ZONE)
        self.run_json("tenant", "create", "acme-tv", "--plan", "basic", "--primary", "ams", "--json")

    def run_json(self, *words):
        return json.loads(self.navigator.command(*words).stdout)

    def ask(self, token, method, target, body=None, port=None, **headers):
        """Status, headers and body over TLS, without a certificate."""
        context = ssl.create_default_context(cafile=self.folder.path("ca.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", port or self.port, context=context, timeout=20)
        try:
            if token:
                headers["Authorization"] = "Bearer " + token
            text = None if body is None else json.dumps(body)
            connection.request(method, target, body=text, headers=headers)
            answer = connection.getresponse()
            data = answer.read().decode()
            return answer.status, answer.headers, data
        finally:
            connection.close()

    def start_replica(self):
        """Its port over TLS."""
        folder = daemons.Folder(prefix="navigator-tenants-replica-")
        self.addCleanup(folder.remove)
        port = daemons.free_port()
        replica = navigator_daemon.Navigator(
            folder, api=f'listen: "127.0.0.1:{port}", {certificate_stack.tls(self.folder)}', extra=f"""\
topology: {self.topology}
tenants: {{ self_service: true }}
replica: {{ primary: "https://127.0.0.1:{self.port}", node: localhost, {certificate_stack.tls(self.folder, "replica")} }}
""")
        self.addCleanup(replica.stop)
        replica.start()
        return port

    def test_a_newcomer_signs_up_by_invitation_also_through_a_replica(self):
        self.addCleanup(self.pdns.stop)
        self.pdns.start()
        made = self.run_json("invitation", "create", "--label", "new-*", "--plan", "gold", "--uses", "2", "--note",
                             "for Acme", "--expires-in", "7d", "--json")
        wish, key = {"label": "new-tv", "invitation": made["invitation"]}, {"Idempotency-Key": "k" * 32}
        self.assertEqual(self.ask(None, "POST", "/v1/sign-up", {**wish, "invitation": "inv_guess"})[0], 403)
        status, _, body = self.ask(None, "POST", "/v1/sign-up", wish, **key)
        self.assertEqual(status, 201, body)
        first = json.loads(body)
        self.assertEqual((first["tenant"]["plan"], first["tenant"]["primary"]), ("gold", "ams"))
        answered = lambda: daemons.run("dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short",
                                       "new-tv.stream.example", "A").stdout.split()
        daemons.wait_for("PowerDNS answers its name", lambda: answered() == ["198.18.1.11"])
        # The answer was lost: a replica passes the repeat on.
        replica = self.start_replica()
        status, headers, body = self.ask(None, "POST", "/v1/sign-up", wish, replica, **key)
        self.assertEqual((status, headers["Idempotency-Replayed"]), (201, "true"), body)
        again = json.loads(body)
        self.assertEqual(again["tenant"], first["tenant"])
        own = "/v1/tenants/new-tv"
        self.assertEqual(self.ask(first["token"]["token"], "GET", own)[0], 401)
        self.assertEqual(self.ask(again["token"]["token"], "GET", own, None, replica)[0], 200)
        log = json.loads(self.ask(again["token"]["token"], "GET", own + "/audit")[2])["entries"]
        self.assertEqual([(row["actor"], row["source"].split(":")[0], row["status"]) for row in log],
                         [("stranger", "127.0.0.1", 201)] * 2)
        self.assertEqual(self.ask(None, "POST", "/v1/sign-up", {**wish, "label": "new-video"}, replica)[0], 201)
        self.assertEqual(self.ask(None, "POST", "/v1/sign-up", {**wish, "label": "new-film"}, replica)[0], 403)
        [listed] = self.run_json("invitation", "list", "--json")["invitations"]
        self.assertEqual((listed["state"], listed["used"]), ("used up", 2))
        self.assertIn("used up", self.navigator.command("invitation", "list").stdout)
        self.navigator.command("invitation", "revoke", made["id"])
        self.assertIn(f"invitation {made['id']} is used up", self.navigator.command("audit", "--json").stdout)
        for name in ("navigator.log", "navigator.db", "navigator.db-wal"):
            self.assertNotIn(made["invitation"], self.folder.log(name))
        # Wrong input is one list of problems, for people too.
        refused = self.navigator.command("invitation", "create", "--label", "A b", "--plan", "none", check=False)
        self.assertEqual(refused.returncode, 2)
        for field in ("label", "plan"):
            self.assertIn(field, refused.stderr)
        # Restarted, it knows everybody.
        self.navigator.stop()
        self.navigator.start()
        self.assertEqual(self.ask(again["token"]["token"], "GET", own)[0], 200)

    def test_a_tenant_is_everywhere_renamed_suspended_and_gone(self):
        daemons.wait_for("the tenant is everywhere",
                         lambda: self.run_json("tenant", "status", "acme-tv", "--json")["everywhere"])
        renamed = self.run_json("tenant", "rename", "acme-tv", "acme-video", "--overlap", "0s", "--json")
        self.assertEqual(renamed["former"][0]["label"], "acme-tv")
        daemons.wait_for("the former label is retired",
                         lambda: not self.run_json("tenant", "status", "acme-video", "--json")["former"])
        self.assertEqual(self.run_json("tenant", "suspend", "acme-video", "--json")["state"], "suspended")
        self.assertEqual(self.run_json("tenant", "resume", "acme-video", "--json")["state"], "active")
        refused = self.navigator.command("tenant", "create", "аdmin", "--plan", "basic", "--primary", "ams", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("label", refused.stderr)
        silver = self.navigator.command("tenant", "set-plan", "acme-video", "silver", check=False)
        self.assertNotEqual(silver.returncode, 0)
        self.navigator.command("tenant", "delete", "acme-video")
        self.assertEqual(self.run_json("tenant", "list", "--json")["tenants"], [])
        targets = [entry["target"] for entry in self.run_json("audit", "--json")["entries"]]
        self.assertIn("/v1/tenants/acme-video", targets)

    def test_a_token_does_what_it_may_over_tls_and_nothing_else(self):
        token = self.navigator.command("token", "create", "--tenant", "acme-tv", "--note", "ci").stdout.strip()
        record = "/v1/tenants/acme-tv/records/mail/A"
        status, headers, body = self.ask(token, "PUT", record, {"contents": ["192.0.2.7"]})
        self.assertEqual(status, 200, body)
        self.assertEqual(self.ask(token, "DELETE", record, **{"If-Match": '"1"'})[0], 412)
        self.assertEqual(self.ask(token, "DELETE", record, **{"If-Match": headers["ETag"]})[0], 204)
        self.assertEqual(self.ask(token, "GET", "/v1/tenants/other-tv")[0], 404)
        self.assertEqual(self.ask(token, "GET", "/v1/zones")[0], 403)
        self.assertEqual(self.ask(None, "GET", "/v1/tenants/acme-tv")[0], 403)
        self.assertEqual(self.ask("nav_guess", "GET", "/v1/tenants/acme-tv")[0], 401)
        self.assertEqual(self.ask(None, "GET", "/v1/openapi.yaml")[0], 200)
        listed = self.run_json("token", "list", "--tenant", "acme-tv", "--json")["tokens"]
        self.navigator.command("token", "revoke", listed[0]["id"])
        self.assertEqual(self.ask(token, "GET", "/v1/tenants/acme-tv")[0], 401)
        self.assertNotIn(token, self.folder.log("navigator.log"))

    def test_a_kill_loses_no_row_of_the_audit_log_and_nothing_is_done_twice(self):
        """Eight clients write records while Navigator is killed: what is there has its row, and a repeat of each
        request with its key does nothing again."""
        self.run_json("tenant", "create", "gold-tv", "--plan", "gold", "--primary", "ams", "--json")
        records, lost = "/v1/tenants/gold-tv/records/", 0
        for turn in range(5 if os.environ.get("SOVEREIGN_LONG") != "1" else 50):
            sent, going = [], threading.Event()

            def write(client, turn=turn, sent=sent, going=going):
                for number in range(12):
                    name = f"t{turn}-c{client}-{number}"
                    sent.append(name)
                    try:
                        self.put_record(records + name + "/A", name)
                    except OSError:
                        return
                    if number == 3:
                        going.set()

            clients = [threading.Thread(target=write, args=(client,)) for client in range(8)]
            for one in clients:
                one.start()
            self.assertTrue(going.wait(30))
            self.navigator.stop(signal.SIGKILL)
            for one in clients:
                one.join()
            self.navigator.start()
            entries, cursor = [], ""
            while cursor is not None:
                page = json.loads(self.navigator.call("GET", "/v1/audit?limit=1000" + cursor)[1])
                entries += page["entries"]
                cursor = "&cursor=" + page["next"] if "next" in page else None
            logged = [entry["target"] for entry in entries if f"/t{turn}-" in entry["target"]]
            lost += sum(entry["status"] == 0 for entry in entries if entry["target"] in logged)
            there = {one["name"].split(".")[0] for one in json.loads(
                self.navigator.call("GET", "/v1/tenants/gold-tv/records?limit=1000")[1])["records"]}
            self.assertGreater(len(there), 8)
            self.assertEqual(sorted(logged), sorted(records + name + "/A" for name in there), "one row for each change")
            for name in sent[-16:]:
                answer = self.put_record(records + name + "/A", name)
                if name not in there:
                    self.assertEqual(answer.status, 200, name)
                else:
                    self.assertTrue(answer.getheader("Idempotency-Replayed") == "true" or answer.status == 409,
                                    f"done twice: {name} {answer.status}")
            for name in sent:
                self.navigator.call("DELETE", f"{records}{name}/A")
        self.assertEqual(self.navigator.call("GET", "/healthz")[0], 200)
        print(f"answers that were lost: {lost}", file=sys.stderr)

    def put_record(self, target, key):
        connection = daemons.UnixConnection(self.navigator.api, 20)
        try:
            connection.request("PUT", target, body='{"contents": ["192.0.2.7"]}', headers={"Idempotency-Key": key})
            answer = connection.getresponse()
            answer.read()
            return answer
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def test_acme_dns_and_a_domain_are_answered_by_powerdns(self):
        self.addCleanup(self.pdns.stop)
        self.pdns.start()
        token = self.navigator.command("token", "create", "--tenant", "acme-tv", "--action", "acme").stdout.strip()
        account = json.loads(self.ask(token, "POST", "/register", {})[2])
        values = [letter * 43 for letter in "abc"]
        for value in values:
            status, _, body = self.ask(None, "POST", "/update", {"subdomain": account["subdomain"], "txt": value},
                                       **{"X-Api-User": account["username"], "X-Api-Key": account["password"]})
            self.assertEqual(status, 200, body)
        answer = daemons.run("dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short", account["fulldomain"],
                             "TXT").stdout
        for value in values:
            self.assertIn(value, answer)
        [listed] = self.run_json("tenant", "registration", "list", "acme-tv", "--json")["registrations"]
        self.assertEqual((listed["subdomain"], listed["values"]), (account["subdomain"], 3))
        self.assertIn(account["subdomain"], self.navigator.command("tenant", "registration", "list", "acme-tv").stdout)
        self.navigator.command("tenant", "registration", "delete", "acme-tv", account["subdomain"])
        self.assertNotEqual(self.navigator.command("tenant", "registration", "delete", "acme-tv", account["subdomain"],
                                                   check=False).returncode, 0)
        daemons.wait_for("its values are answered no more", lambda: daemons.run(
            "dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short", account["fulldomain"], "TXT").stdout == "")
        claimed = self.run_json("domain", "claim", "acme-tv", "www.customer.example", "--json")
        missing = self.run_json("domain", "verify", "acme-tv", "www.customer.example", "--json")
        self.assertEqual(missing["code"], "proof_missing")
        lines = ZONE + "".join(f"{one['name']} {one['type']} " + (f"\"{one['content']}\"" if one["type"] == "TXT" else
                               one["content"]) + "\n" for one in claimed["records_to_set"])
        self.navigator.import_zone("customer.example", lines)

        def verified():
            seen = self.run_json("domain", "verify", "acme-tv", "www.customer.example", "--json")
            self.assertIn(seen["code"], ("ok", "lookup_failed"), seen)
            return seen["state"] == "verified"

        daemons.wait_for("the domain is verified", verified)

    def test_a_pool_of_its_own_is_checked_and_answered_and_survives_a_restart(self):
        self.addCleanup(self.pdns.stop)
        self.pdns.start()
        origin = socket.create_server(("127.0.0.3", 0))  # 127.0.0.1 is the API's own: refused
        self.addCleanup(origin.close)
        port = origin.getsockname()[1]
        token = self.navigator.command("token", "create", "--tenant", "acme-tv", "--action", "pools").stdout.strip()
        status, _, body = self.ask(token, "PUT", "/v1/tenants/acme-tv/pools/web", {
            "origins": [{"address": "127.0.0.3"}, {"address": "127.0.0.2"}], "names": ["@", "www"],
            "monitor": {"type": "tcp", "port": port, "interval_ms": 5000, "consecutive_up": 1, "consecutive_down": 1}})
        self.assertEqual(status, 201, body)

        def answered(name):
            words = daemons.run("dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short", name, "A").stdout.split()
            return sorted(words)

        for name in ("acme-tv.stream.example", "www.acme-tv.stream.example"):
            daemons.wait_for("the one that listens is answered alone", lambda: answered(name) == ["127.0.0.3"])
        [pool] = self.run_json("tenant", "pool", "list", "acme-tv", "--json")["pools"]
        self.assertEqual([one["health"] for one in pool["origins"]], ["up", "down"])
        for inside in ("10.0.0.1", "127.0.0.1", "127.0.0.9", "::1"):
            refused = self.navigator.command("tenant", "pool", "put", "acme-tv", "web", "--origin", inside, check=False)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn("origins[0].address", refused.stderr)
        self.navigator.stop()
        self.navigator.start()
        daemons.wait_for("it is so after a restart", lambda: answered("www.acme-tv.stream.example") == ["127.0.0.3"])
        self.navigator.command("tenant", "pool", "delete", "acme-tv", "web")
        daemons.wait_for("nothing is below", lambda: "127.0.0.3" not in answered("www.acme-tv.stream.example"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
