#!/usr/bin/env python3
"""`cert why` names the cause, and `cert list --due` what waits: each fault is made, and its own cause is said.

The faults: no delegation of the challenge, one that leads elsewhere, CAA that forbids the CA, a site that is behind, a
CA that refuses a name, one that limits, one that is away, and the pause after a refusal. A certificate is due because
pebble makes it for six seconds, or because a person ordered another.
"""
import json
import os
import signal
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
        cls.stack = domain_stack.DomainStack(acme="  gate_timeout: 1s\n")
        cls.addClassCleanup(cls.stack.close)
        cls.stack.start()
        cls.stack.create("acme-tv")
        cls.own = cls.stack.certificate("acme-tv.stream.example")

    def setUp(self):
        self.addCleanup(setattr, self.stack.proxy, "behave", None)

    def due(self):
        return {one["name"]: one for one in self.stack.json("cert", "list", "--due")["certificates"]}

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
        self.assertEqual(seen["challenge"][0], f"_acme-challenge.{name}")

    def test_a_challenge_that_is_delegated_elsewhere(self):
        name = "astray.customer.example"

        def change(records):
            [one] = [one for one in records if one["name"].startswith("_acme-challenge")]
            one["content"] = "x.ns1.customer.example."

        self.domain(name, change)
        seen = self.failed(name, "deferred", "challenge_elsewhere")
        self.assertIn("x.ns1.customer.example", seen["last_error"])
        self.assertIn("x.ns1.customer.example", seen["challenge"])

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
        self.stack.proxy.behave = None
        self.stack.command("cert", "order", "away")
        self.stack.certificate("away.stream.example")

    def test_what_is_fine_is_not_due_and_has_no_cause(self):
        seen = self.stack.why("acme-tv")
        self.assertEqual((seen["state"], seen["last_error"], [one["what"] for one in seen["hindrances"]]),
                         ("valid", "", ["not due"]))
        self.assertNotIn("acme-tv.stream.example", self.due())
        unknown = self.stack.command("cert", "why", "nobody", check=False)
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("no tenant or certificate is named 'nobody'", unknown.stderr)


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
        stack.create("short")
        short = stack.certificate("short.stream.example")
        stack.proxy.behave = refusal("rejectedIdentifier", "not now")

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
        stack.proxy.behave = None
        stack.command("cert", "order", "short")
        stack.certificate("short.stream.example", 60, lambda one: one["fingerprint"] != short["fingerprint"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
