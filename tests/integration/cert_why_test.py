#!/usr/bin/env python3
"""`cert why` names the cause, and `cert list --due` what waits: each fault is made, and its own cause is said.

Each is a fault of its own with what mends it: no delegation of the challenge, one that leads elsewhere or in a circle,
CAA that forbids the CA at the name and above it, a site that is down, a CA that refuses a name, limits, saw no proof,
is away and then left alone, wants the account's owner, an edge without the certificate, a key that does not open, a
certificate that is revoked, expired or never came, a tenant that is suspended, a domain that is not verified. A
certificate is due because pebble makes it for six seconds, or because a person ordered another.
"""
import json
import os
import signal
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import domain_stack  # noqa: E402


def refusal(kind, detail, status=403, headers=()):
    """A CA's problem document (RFC 8555 section 6.7) instead of an order."""
    body = json.dumps({"type": "urn:ietf:params:acme:error:" + kind, "detail": detail, "status": status}).encode()
    answer = (status, [("Content-Type", "application/problem+json"), *headers], body)
    return lambda asked, forward: answer if asked == "order-plz" else forward()


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class CertWhy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = domain_stack.DomainStack(acme="  gate_timeout: 1s\n  first_certificate_within: 2s\n")
        cls.addClassCleanup(cls.stack.close)
        cls.stack.start()
        cls.stack.create("acme-tv")
        cls.own = cls.stack.certificate("acme-tv.stream.example")

    def setUp(self):
        self.addCleanup(setattr, self.stack.proxy, "behave", None)

    def due(self):
        return {one["name"]: one for one in self.stack.json("cert", "list", "--due")["certificates"]}

    def fault(self, name, code, words="", seconds=30):
        """What `cert why` says, once it names this fault, with what mends it, to people too."""
        def look():
            done = self.stack.command("cert", "why", name, "--json", check=False)
            seen = json.loads(done.stdout) if done.returncode == 0 else {"faults": []}
            hits = [one for one in seen["faults"] if one["code"] == code and words in one["what"] + one["fix"]]
            return (seen, hits[0]) if hits else None

        try:
            seen, fault = daemons.wait_for(f"{name}: {code}", look, seconds, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.stack.command('cert', 'why', name, check=False).stdout}") from None
        self.assertTrue(fault["what"] and fault["fix"], fault)
        self.assertIn(code + ": ", self.stack.command("cert", "why", name).stdout)
        return seen

    def codes(self, name):
        return [one["code"] for one in self.stack.why(name)["faults"]]

    def failed(self, name, outcome, words):
        """The cause is in the last error, in the attempts, in the text for people, and in the list of what is due."""
        seen = self.stack.failed(name, words)
        self.assertEqual(seen["attempts"][0]["outcome"], outcome, seen["attempts"])
        self.assertIn(words, seen["attempts"][0]["detail"])
        self.assertIn(words, self.stack.command("cert", "why", name).stdout)
        self.assertEqual(seen["fingerprint"], "")
        self.assertIn(words, self.due()[seen["name"]]["last_error"])
        self.assertIn(words, self.stack.command("cert", "list", "--due").stdout)
        return seen

    def domain(self, name, change):
        """A verified domain whose owner then changes his records, before the CA let it have a certificate."""
        stack = self.stack
        stack.proxy.behave = refusal("rejectedIdentifier", "later")
        stack.add_domain("acme-tv", name)
        stack.failed(name, "later")
        change(stack.records[name])
        stack.set_customer_zone()
        stack.proxy.behave = None
        stack.command("cert", "order", name)

    def test_a_challenge_that_is_not_delegated(self):
        name = "missing.customer.example"
        self.domain(name, lambda records: records.remove(
            next(one for one in records if one["name"].startswith("_acme-challenge"))))
        seen = self.failed(name, "deferred", "challenge_missing: there is no CNAME")
        self.assertIn(f"_acme-challenge.{name}", seen["last_error"])
        self.assertEqual(seen["challenge"], [f"_acme-challenge.{name}"], "nothing that is not there is shown")
        self.fault(name, "challenge_missing", seen["delegated_to"])

    def test_a_challenge_that_is_delegated_elsewhere(self):
        name = "astray.customer.example"

        def change(records):
            [one] = [one for one in records if one["name"].startswith("_acme-challenge")]
            one["content"] = "x.ns1.customer.example."

        self.domain(name, change)
        seen = self.failed(name, "deferred", "challenge_elsewhere")
        self.assertIn("x.ns1.customer.example", seen["last_error"])
        self.assertEqual(seen["challenge"], [f"_acme-challenge.{name}", "x.ns1.customer.example"])
        self.fault(name, "challenge_elsewhere", "x.ns1.customer.example")

    def test_a_challenge_that_leads_in_a_circle(self):
        name = "circle.customer.example"

        def change(records):
            [one] = [one for one in records if one["name"].startswith("_acme-challenge")]
            one["content"] = "turn.circle.customer.example."
            records.append({"name": "turn.circle.customer.example.", "type": "CNAME",
                            "content": f"_acme-challenge.{name}."})

        self.domain(name, change)
        self.failed(name, "deferred", "cname_loop")
        self.fault(name, "cname_loop", "leads back to")

    def test_caa_that_forbids_the_ca(self):
        stack = self.stack
        stack.proxy.behave = lambda kind, forward: self.with_identities(forward()) if kind == "dir" else forward()
        stack.navigator.stop()  # what it knows of the directory goes with it
        stack.navigator.start()
        stack.navigator.put("stream.example", "strict.stream.example.", "CAA", ['0 issue "other-ca.example"'])
        stack.create("strict")
        seen = self.failed("strict", "policy", "permits other authorities")
        self.assertEqual(seen["caa"][0]["records"], ['0 issue "other-ca.example"'])
        self.assertIn("other-ca.example", stack.command("cert", "why", "strict").stdout)
        self.assertNotIn(("*.strict.stream.example", "strict.stream.example"), stack.proxy.orders, "nobody was asked")
        self.fault("strict", "caa_forbids", "'strict.stream.example'")
        # Above a customer's domain, in a zone of his that the resolver knows.
        stack.add_domain("acme-tv", "deep.customer.example")
        stack.certificate("deep.customer.example")
        stack.set_customer_zone('@ CAA 0 issue "other-ca.example"\n')
        self.addCleanup(stack.set_customer_zone)
        self.fault("deep.customer.example", "caa_above_forbids", "'customer.example'")

    @staticmethod
    def with_identities(answer):
        status, headers, body = answer
        directory = json.loads(body)
        directory.setdefault("meta", {})["caaIdentities"] = ["pebble.example"]
        return status, headers, json.dumps(directory).encode()

    def test_a_site_that_does_not_answer(self):
        stack = self.stack
        os.kill(stack.pdns.daemon.pid, signal.SIGSTOP)
        try:
            stack.create("behind")
            seen = self.failed("behind", "deferred", "ams")
            self.assertIn("over UDP", seen["last_error"])
            [site] = seen["sites"]
            self.assertNotEqual((site["udp"], site["tcp"]), ("answers", "answers"))
            self.fault("behind", "site_down", "'ams'")
        finally:
            os.kill(stack.pdns.daemon.pid, signal.SIGCONT)
        stack.certificate("behind.stream.example")

    def test_a_ca_that_refuses_a_name_and_the_pause_after_it(self):
        self.stack.proxy.behave = refusal("rejectedIdentifier", "we do not issue for this name")
        self.stack.create("refused")
        daemons.wait_for("it is refused twice",
                         lambda: len(self.stack.why("refused")["attempts"]) >= 2)  # the second pause is ten seconds
        seen = self.failed("refused", "policy", "we do not issue for this name")
        [hindrance] = [one for one in seen["hindrances"] if one["authority"]]
        self.assertGreater(hindrance["until_ms"], seen["attempts"][0]["at_ms"])
        self.assertEqual(seen["next_attempt_ms"], hindrance["until_ms"], "parked until then")
        self.fault("refused", "ca_refuses", "we do not issue for this name")
        seen = self.fault("refused", "first_one_missing")
        self.assertTrue(seen["alarm"] and seen["missing"])
        self.assertGreater(self.stack.json("status")["issuer"]["missing"], 0)
        self.assertEqual(self.stack.why("refused")["attempts"], seen["attempts"], "nothing is tried meanwhile")
        self.stack.proxy.behave = None
        self.stack.command("cert", "order", "refused")  # a person's word ends the pause
        self.stack.certificate("refused.stream.example")

    def test_a_ca_that_limits(self):
        self.stack.proxy.behave = refusal("rateLimited", "too many certificates", 429, [("Retry-After", "1800")])
        self.stack.create("limited")
        seen = self.failed("limited", "rate limited", "too many certificates")
        until = max(one["until_ms"] for one in seen["hindrances"])
        self.assertAlmostEqual(until / 1000, seen["attempts"][0]["at_ms"] / 1000 + 1800, delta=60)
        self.assertTrue(all(one["what"] for one in seen["hindrances"]))
        self.fault("limited", "ca_limits", "too many certificates")
        self.fault("limited", "limit_reached", "set")

    def test_a_ca_that_saw_no_proof(self):
        def invalid(kind, forward):
            status, headers, body = forward()
            if kind == "my-order":
                body = json.dumps({**json.loads(body), "status": "invalid"}).encode()
            return status, headers, body

        self.stack.proxy.behave = invalid
        self.stack.create("unproved")
        self.failed("unproved", "validation", "the CA gives no reason")
        self.fault("unproved", "ca_saw_no_proof")

    def test_a_ca_that_wants_the_accounts_owner(self):
        self.stack.proxy.behave = refusal("userActionRequired", "read the new terms")
        self.stack.create("terms")
        self.fault("terms", "account_needs_a_person", "read the new terms")
        self.stack.proxy.behave = None
        self.stack.navigator.stop()  # pebble takes no agreement (acme account agree); a start asks again
        self.stack.navigator.start()
        self.stack.command("cert", "order", "terms")
        self.stack.certificate("terms.stream.example")
        self.assertNotIn("account_needs_a_person", self.codes("terms"))

    def test_a_ca_that_is_away(self):
        self.stack.proxy.behave = lambda kind, forward: (503, [], b"")
        self.stack.navigator.stop()  # what it knows of the directory goes with it
        self.stack.navigator.start()
        self.stack.create("away")
        seen = self.failed("away", "transient", "503")
        self.assertIn(f":{self.stack.proxy.port}/dir", seen["last_error"])
        [account] = self.stack.json("acme", "account", "list")["accounts"]
        self.assertIn("503", account["last_error"])
        self.assertGreater(account["failures"], 0)
        self.fault("away", "ca_away", "503")
        self.fault("away", "ca_rests")
        self.stack.proxy.behave = None
        self.stack.navigator.stop()  # the rest of a minute ends with the process
        self.stack.navigator.start()
        self.stack.command("cert", "order", "away")
        self.stack.certificate("away.stream.example")

    def test_what_is_fine_is_not_due_and_has_no_cause(self):
        seen = self.stack.why("acme-tv")
        self.assertEqual((seen["state"], seen["last_error"], [one["what"] for one in seen["hindrances"]]),
                         ("valid", "", ["not due"]))
        self.assertNotIn("acme-tv.stream.example", self.due())
        # Its only edge did not say that it has it; then nothing is wrong any more.
        self.fault("acme-tv", "edge_without_it", domain_stack.EDGE)
        [bundle] = [one for one in self.stack.bundles() if one["fingerprint"] == seen["fingerprint"]]
        told = {one: bundle[one] for one in ("id", "fingerprint", "sequence")}
        self.assertEqual(self.stack.edge("POST", "/v1/edge/acknowledgments", told)[0], 204)
        self.assertEqual(self.codes("acme-tv"), [])
        self.assertIn("nothing is wrong", self.stack.command("cert", "why", "acme-tv").stdout)
        unknown = self.stack.command("cert", "why", "nobody", check=False)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("no tenant or certificate is named 'nobody'", unknown.stderr)

    def test_a_tenant_that_is_suspended_and_a_domain_that_is_not_verified(self):
        stack = self.stack
        stack.create("sleeper")
        stack.certificate("sleeper.stream.example")
        stack.claim("sleeper", "early.sleeper.example")
        stack.records.pop("early.sleeper.example")
        self.fault("early.sleeper.example", "domain_unverified", "sleeper")
        stack.command("tenant", "suspend", "sleeper")
        for name in ("sleeper", "sleeper.stream.example.", "early.sleeper.example"):
            self.assertEqual(self.fault(name, "tenant_suspended", "resume sleeper")["state"], "unwanted")
        stack.command("tenant", "resume", "sleeper")
        daemons.wait_for("it is wanted again", lambda: "tenant_suspended" not in self.codes("sleeper"))

    def test_a_key_that_does_not_open_and_a_certificate_that_is_revoked(self):
        stack = self.stack
        stack.create("damaged")
        stack.certificate("damaged.stream.example")
        stack.proxy.behave = refusal("rejectedIdentifier", "not now")
        with sqlite3.connect(stack.files.path("navigator.db"), timeout=10) as database:
            database.execute("UPDATE certificate SET sealed_key = zeroblob(60) WHERE subject_id = (SELECT id FROM "
                             "acme_subject WHERE name = 'damaged.stream.example')")
        database.close()
        self.fault("damaged", "key_unreadable")
        stack.command("cert", "revoke", "damaged", "--reason", "keyCompromise")
        self.fault("damaged", "revoked")
        stack.proxy.behave = None
        stack.command("cert", "order", "damaged")
        daemons.wait_for("another one is there", lambda: "key_unreadable" not in self.codes("damaged"))


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class Due(unittest.TestCase):
    def test_a_short_life_is_due_and_renewed_and_one_that_is_ordered_anew(self):
        stack = domain_stack.DomainStack()
        self.addCleanup(stack.close)
        stack.start()
        due = lambda: stack.json("cert", "list", "--due")["certificates"]
        stack.create("long")
        long = stack.certificate("long.stream.example")
        self.assertEqual(due(), [])
        self.assertNotIn("long", stack.command("cert", "list", "--due").stdout)
        # A person orders another: while the CA keeps it waiting it is due, though the present one is good for months.
        hold = domain_stack.Hold(stack.proxy, "order-plz")
        stack.command("cert", "order", "long")
        hold.wait()
        [row] = due()
        self.assertEqual((row["name"], row["state"], row["fingerprint"]),
                         ("long.stream.example", "renewing", long["fingerprint"]))
        self.assertIn("long.stream.example", stack.command("cert", "list", "--due").stdout)
        hold.let_go()
        stack.certificate("long.stream.example", 60, lambda one: one["fingerprint"] != long["fingerprint"])
        daemons.wait_for("nothing is due", lambda: due() == [])
        # A life of seconds: after half of it it is due, and the CA refuses another until it is over.
        stack.pebble.stop()
        stack.pebble.lifetime_s = 6
        stack.pebble.start()
        placed, refuse = [], refusal("rejectedIdentifier", "not now")

        def one_order(kind, forward):
            if kind == "order-plz" and placed:
                return refuse(kind, forward)
            answer = forward()
            if kind == "order-plz" and answer[0] == 201:
                placed.append(answer)
            return answer

        stack.proxy.behave = one_order
        stack.create("short")
        short = stack.certificate("short.stream.example")

        def row_of_short():
            found = [one for one in due() if one["name"] == "short.stream.example" and one["last_error"]]
            return found[0] if found else None

        row = daemons.wait_for("the short one is due", row_of_short)
        self.assertEqual(row["fingerprint"], short["fingerprint"])
        self.assertLess(row["renew_at_ms"], time.time() * 1000)
        self.assertEqual([one["name"] for one in due()], ["short.stream.example"])
        expired = daemons.wait_for("it expired and that is said",
                                   lambda: [one for one in due() if one["state"] == "expired"])
        self.assertTrue(expired[0]["alarm"])
        self.assertIn("expired", [one["code"] for one in stack.why("short")["faults"]])
        stack.proxy.behave = None
        stack.command("cert", "order", "short")
        stack.certificate("short.stream.example", 60, lambda one: one["fingerprint"] != short["fingerprint"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
