#!/usr/bin/env python3
"""Navigator behind a real pdns_server: what a resolver, an operator and pdnsutil see.

Needs: the binary named by NAVIGATOR; pdns-server, pdns-backend-remote, pdns-tools, bind9-dnsutils (dig, delv, nsupdate),
bind9-utils (dnssec-verify), ldnsutils (ldns-verify-zone). Everything listens on loopback and in a temporary folder.
Every wait observes a condition under a deadline. All caches of pdns_server live an hour, so that only purges make
answers fresh.
"""
import http.client
import json
import os
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
from daemons import DEADLINE, run, wait_for  # noqa: E402
from stack import StackCase, records  # noqa: E402

ZONE = """\
example.test. 3600 IN SOA ns1.example.test. hostmaster.example.test. 100 10800 3600 604800 300
example.test. 3600 IN NS ns1.example.test.
example.test. 3600 IN NS ns2.example.test.
example.test. 3600 IN MX 10 mail.example.test.
example.test. 3600 IN CAA 0 issue "ca.example.net"
ns1.example.test. 3600 IN A 192.0.2.1
ns2.example.test. 3600 IN A 192.0.2.2
ns2.example.test. 3600 IN AAAA 2001:db8::2
mail.example.test. 3600 IN A 192.0.2.3
www.example.test. 3600 IN A 192.0.2.10
www.example.test. 3600 IN A 192.0.2.11
www.example.test. 3600 IN TXT "a text; with \\"quotes\\" and two" "strings"
alias.example.test. 3600 IN CNAME www.example.test.
outside.example.test. 3600 IN CNAME elsewhere.example.net.
*.wild.example.test. 3600 IN A 192.0.2.20
*.wild.example.test. 3600 IN TXT "wild"
fixed.wild.example.test. 3600 IN A 192.0.2.21
deep.ent.example.test. 3600 IN A 192.0.2.30
_sip._tcp.example.test. 3600 IN SRV 0 5 5060 www.example.test.
child.example.test. 3600 IN NS ns.child.example.test.
child.example.test. 3600 IN NS ns1.example.test.
ns.child.example.test. 3600 IN A 192.0.2.40
safe.example.test. 3600 IN NS ns1.example.test.
safe.example.test. 3600 IN DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
"""

SECOND = """\
second.test. 3600 IN SOA ns1.example.test. hostmaster.example.test. 1 10800 3600 604800 300
second.test. 3600 IN NS ns1.example.test.
www.second.test. 3600 IN A 198.51.100.1
"""


class Base(StackCase):
    def setUp(self):
        super().setUp()
        self.stack.write("example.test.zone", ZONE)
        self.stack.write("second.test.zone", SECOND)

    def begin(self):
        """One zone imported before the daemon runs, one while it runs, then pdns_server."""
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.start_navigator()
        self.stack.command("zone", "import", "second.test", self.stack.path("second.test.zone"))
        self.stack.start_pdns()


class Answers(Base):
    def test_every_kind_of_answer(self):
        self.begin()
        stack = self.stack
        self.assertEqual(stack.short("www.example.test"), ["192.0.2.10", "192.0.2.11"])
        self.assertEqual(stack.short("WWW.Example.TEST"), ["192.0.2.10", "192.0.2.11"])
        self.assertEqual(stack.short("www.second.test"), ["198.51.100.1"])
        self.assertEqual(stack.short("www.example.test", "TXT"), ['"a text; with \\"quotes\\" and two" "strings"'])
        self.assertEqual(stack.short("_sip._tcp.example.test", "SRV"), ["0 5 5060 www.example.test."])
        self.assertEqual(stack.short("example.test", "SOA"),
                         ["ns1.example.test. hostmaster.example.test. 100 10800 3600 604800 300"])

        missing = stack.dig("nothing.example.test")
        self.assertIn("NXDOMAIN", missing)
        self.assertIn("SOA", missing)
        nodata = stack.dig("mail.example.test", "TXT")
        self.assertIn("NOERROR", nodata)
        self.assertIn("ANSWER: 0", nodata)
        for ent in ("ent.example.test", "wild.example.test", "_tcp.example.test"):
            answer = stack.dig(ent)
            self.assertIn("NOERROR", answer, ent)
            self.assertIn("ANSWER: 0", answer, ent)
            self.assertIn("SOA", answer, ent)

        self.assertEqual(stack.short("anything.wild.example.test"), ["192.0.2.20"])
        self.assertEqual(stack.short("a.b.c.wild.example.test"), ["192.0.2.20"])
        self.assertEqual(stack.short("fixed.wild.example.test"), ["192.0.2.21"])
        self.assertIn("NXDOMAIN", stack.dig("x.fixed.wild.example.test"))
        self.assertEqual(stack.short("alias.example.test"), ["192.0.2.10", "192.0.2.11", "www.example.test."])
        self.assertEqual(stack.short("outside.example.test"), ["elsewhere.example.net."])

        referral = stack.dig("host.child.example.test", "A", "+norecurse")
        self.assertIn("NOERROR", referral)
        self.assertIn("ANSWER: 0", referral)
        self.assertNotIn(" aa", referral.split("QUERY:")[0])
        self.assertIn("ns.child.example.test.", referral)
        self.assertIn("192.0.2.40", referral)
        self.assertEqual(len(stack.short("safe.example.test", "DS")), 1)
        self.assertIn("REFUSED", stack.dig("www.unknown.test"))

    def test_transfer_equals_the_zone(self):
        self.begin()
        self.assertEqual(records(self.stack.axfr()), records(ZONE))
        exported = self.stack.command("zone", "export", "example.test").stdout
        self.stack.write("exported.zone", exported)
        self.stack.command("zone", "import", "example.test", self.stack.path("exported.zone"))
        self.assertEqual(records(self.stack.axfr()), records(ZONE), "importing one's own export changes nothing")

    def test_zones_may_be_listed_and_new_ones_appear(self):
        self.begin()
        listed = self.stack.pdnsutil("list-all-zones").stdout.split()
        self.assertEqual(sorted(listed), ["example.test", "second.test"])
        self.stack.call("POST", "/v1/zones", json.dumps({"name": "third.test", "nameservers": ["ns1.example.test"]}))
        wait_for("the third zone is served", lambda: self.stack.short("third.test", "NS") == ["ns1.example.test."])


class Freshness(Base):
    def test_changes_show_at_once_with_caches_of_an_hour(self):
        self.begin()
        stack = self.stack

        def check(name, expected, change, rtype="A"):
            stack.short(name, rtype)
            stack.short(name, rtype)
            change()
            begin = time.monotonic()
            wait_for(f"{name} is {expected}", lambda: stack.short(name, rtype) == expected, 5)
            return time.monotonic() - begin

        check("www.example.test", ["192.0.2.99"], lambda: stack.put("www", "A", ["192.0.2.99"]))
        check("new.example.test", ["192.0.2.50"], lambda: stack.put("new", "A", ["192.0.2.50"]))
        check("new.example.test", [], lambda: stack.put("new", "A", []))
        check("x.wild.example.test", ["192.0.2.60"], lambda: stack.put("*.wild", "A", ["192.0.2.60"]))
        check("a.b.new.example.test", ["192.0.2.61"], lambda: stack.put("*.new", "A", ["192.0.2.61"]))
        check("mail.example.test", ['"now"'], lambda: stack.put("mail", "TXT", ['"now"']), "TXT")
        serial = stack.short("example.test", "SOA")
        stack.put("www", "A", ["192.0.2.98"])
        wait_for("the serial moves", lambda: stack.short("example.test", "SOA") != serial, 5)
        status = json.loads(stack.call("GET", "/v1/status")[1])
        self.assertEqual(status["powerdns"][0]["last_error"], "")

    def test_thirty_changes_are_fresh_thirty_times(self):
        self.begin()
        for number in range(30):
            self.stack.put("www", "A", [f"203.0.113.{number}"])
            wait_for(f"change {number}", lambda: self.stack.short("www.example.test") == [f"203.0.113.{number}"], 5)


class Dnssec(Base):
    def anchors(self):
        keys = [line for line in self.stack.axfr().splitlines() if line.split()[3:5] == ["DNSKEY", "257"]]
        body = ""
        for line in keys:
            owner, _, _, _, flags, protocol, algorithm, key = line.split(None, 7)
            body += f'{owner} static-key {flags} {protocol} {algorithm} "{"".join(key.split())}";\n'
        return self.stack.write("anchors.conf", "trust-anchors {\n" + body + "};\n")

    def validated(self, name, rtype="A"):
        done = run("delv", "@127.0.0.1", "-p", str(self.stack.port), "-a", self.anchors(), "+root=example.test.",
                   name, rtype, check=False)
        return done.stdout + done.stderr

    def verify_transfer(self):
        zone = self.stack.write("signed.zone", self.stack.axfr())
        run("ldns-verify-zone", zone)
        run("dnssec-verify", "-z", "-o", "example.test", zone)

    def check_answers(self):
        for name, rtype in (("www.example.test", "A"), ("example.test", "SOA"), ("x.wild.example.test", "A"),
                            ("alias.example.test", "CNAME"), ("safe.example.test", "DS")):
            self.assertIn("fully validated", self.validated(name, rtype), f"{name} {rtype}")
        for name, rtype in (("nothing.example.test", "A"), ("a.b.nothing.example.test", "A"), ("mail.example.test", "TXT"),
                            ("ent.example.test", "A"), ("x.fixed.wild.example.test", "A"), ("x.wild.example.test", "MX"),
                            ("child.example.test", "DS"), ("zzz.example.test", "A"), ("0.example.test", "A")):
            self.assertIn("negative response, fully validated", self.validated(name, rtype), f"{name} {rtype}")

    def test_a_zone_is_secured_with_nsec_and_nsec3_and_unsecured_again(self):
        self.begin()
        stack = self.stack
        stack.short("www.example.test", "A", "+dnssec")
        stack.pdnsutil("secure-zone", "example.test")
        wait_for("signatures", lambda: "RRSIG" in stack.dig("www.example.test", "A", "+dnssec"), 10)
        stack.pdnsutil("rectify-zone", "example.test")
        stack.pdnsutil("check-zone", "example.test")
        self.verify_transfer()
        self.check_answers()
        self.assertIn("NSEC", stack.dig("nothing.example.test", "A", "+dnssec").split())

        for parameters in ("1 0 0 -", "1 0 5 ab", "1 1 0 -"):
            with self.subTest(nsec3=parameters):
                stack.pdnsutil("set-nsec3", "example.test", parameters)
                wait_for("NSEC3", lambda: parameters.upper() in " ".join(stack.short("example.test", "NSEC3PARAM")).upper()
                         or (parameters == "1 1 0 -" and stack.short("example.test", "NSEC3PARAM")), 10)
                wait_for("NSEC3 records", lambda: "NSEC3" in stack.dig("nothing.example.test", "A", "+dnssec").split(), 10)
                self.verify_transfer()
                # What an opt-out span covers is insecure by design (RFC 5155 9.2): its chain is verified, not its answers.
                if not parameters.startswith("1 1"):
                    self.check_answers()

        stack.put("later", "A", ["192.0.2.70"])
        wait_for("a signed change", lambda: "fully validated" in self.validated("later.example.test"), 5)
        self.verify_transfer()
        stack.pdnsutil("unset-nsec3", "example.test")
        wait_for("NSEC again", lambda: "NSEC" in stack.dig("nothing.example.test", "A", "+dnssec").split(), 10)
        self.verify_transfer()
        stack.pdnsutil("disable-dnssec", "example.test")
        wait_for("no signatures", lambda: "RRSIG" not in stack.dig("www.example.test", "A", "+dnssec"), 10)


class Writes(Base):
    def test_tsig_update_patch_and_load_zone(self):
        self.begin()
        stack = self.stack
        secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
        stack.pdnsutil("import-tsig-key", "transfer", "hmac-sha256", secret)
        self.assertIn(secret, stack.pdnsutil("list-tsig-keys").stdout)
        stack.pdnsutil("activate-tsig-key", "example.test", "transfer", "primary")
        signed = run("dig", "@127.0.0.1", "-p", str(stack.port), "-y", "hmac-sha256:transfer:" + secret, "example.test", "AXFR")
        self.assertIn("192.0.2.10", signed.stdout)
        self.assertNotIn("BADKEY", signed.stdout + signed.stderr)
        self.assertNotIn("BADSIG", signed.stdout + signed.stderr)

        script = f"server 127.0.0.1 {stack.port}\nzone second.test\nupdate add dyn.second.test 60 A 192.0.2.80\n" \
                 "update add dyn.second.test 60 A 192.0.2.81\nupdate delete www.second.test A\nsend\n"
        stack.short("dyn.second.test")
        run("nsupdate", stdin=script)
        wait_for("the update", lambda: stack.short("dyn.second.test") == ["192.0.2.80", "192.0.2.81"], 5)
        wait_for("the deletion", lambda: stack.short("www.second.test") == [], 5)

        connection = http.client.HTTPConnection("127.0.0.1", stack.web_port, timeout=20)
        body = json.dumps({"rrsets": [{"name": "patched.second.test.", "type": "MX", "ttl": 60, "changetype": "REPLACE",
                                       "records": [{"content": "10 mail.example.test.", "disabled": False}]}]})
        connection.request("PATCH", "/api/v1/servers/localhost/zones/second.test.", body, {"X-API-Key": "test"})
        response = connection.getresponse()
        self.assertEqual(response.status, 204, response.read())
        wait_for("the patch", lambda: stack.short("patched.second.test", "MX") == ["10 mail.example.test."], 5)

        stack.write("replacement.zone", SECOND.replace(" 1 10800", " 1000 10800").replace("198.51.100.1", "198.51.100.9"))
        stack.pdnsutil("load-zone", "second.test", stack.path("replacement.zone"))
        wait_for("the replaced zone", lambda: stack.short("www.second.test") == ["198.51.100.9"], 5)
        wait_for("what was not in it", lambda: "NXDOMAIN" in stack.dig("dyn.second.test"), 5)


class Failures(Base):
    def test_a_restart_keeps_the_answers(self):
        self.begin()
        stack = self.stack
        stack.put("www", "A", ["192.0.2.90"])
        self.assertEqual(stack.stop_navigator(), 0)
        self.assertFalse(os.path.exists(stack.remote), "the socket is gone")
        stack.start_navigator()
        # Each open connection of pdns_server may lose one query.
        wait_for("answers after the restart", lambda: stack.short("fixed.wild.example.test") == ["192.0.2.21"], 10)
        wait_for("the change is there", lambda: stack.short("www.example.test") == ["192.0.2.90"], 10)

    def test_kill_9_during_writes_loses_nothing_acknowledged(self):
        self.begin()
        stack = self.stack
        acknowledged = []
        begun = threading.Event()

        def write():
            number = 0
            while True:
                try:
                    stack.put(f"w{number}", "A", ["192.0.2.1"])
                except (OSError, AssertionError):
                    return
                acknowledged.append(f"w{number}.example.test.")
                number += 1
                if number == 20:
                    begun.set()

        writer = threading.Thread(target=write)
        writer.start()
        self.assertTrue(begun.wait(DEADLINE))
        stack.stop_navigator(signal.SIGKILL)
        writer.join(DEADLINE)
        self.assertFalse(writer.is_alive())
        stack.start_navigator()
        exported = stack.command("zone", "export", "example.test").stdout
        present = {line.split()[0] for line in exported.splitlines() if line}
        self.assertGreaterEqual(len(acknowledged), 20)
        self.assertEqual([name for name in acknowledged if name not in present], [])
        wait_for("answers", lambda: stack.short(acknowledged[-1]) == ["192.0.2.1"], 10)

    def test_no_backend_never_empties_the_zone_cache(self):
        self.begin()
        stack = self.stack
        refreshes = 'getAllDomains'
        domains = stack.ask_backend('{"method":"initialize","parameters":{}}',
                                    '{"method":"%s","parameters":{"include_disabled":true}}' % refreshes)[1]["result"]
        self.assertEqual([zone["zone"] for zone in domains], ["example.test.", "second.test."])
        self.assertEqual(stack.ask_backend("this is no request"), [None])
        self.assertEqual(stack.ask_backend('{"method":"getDomainInfo","parameters":{}}'), [None])
        # Navigator's purge of everything, due since it started, must not empty the cache that is filled here.
        stack.purged()
        self.assertEqual(stack.short("fixed.wild.example.test"), ["192.0.2.21"])

        before = stack.log("pdns.log").count("zone cache")
        stack.stop_navigator(signal.SIGKILL)
        # Without a backend the refresh (every 2 s) fails aloud; what is cached is answered, the rest is SERVFAIL, nothing is REFUSED.
        wait_for("a refresh that failed", lambda: stack.log("pdns.log").count("zone cache") > before, 20)
        self.assertEqual(stack.short("fixed.wild.example.test"), ["192.0.2.21"])
        self.assertIn("SERVFAIL", stack.dig("deep.ent.example.test"))
        stack.start_navigator()
        wait_for("answers again", lambda: stack.short("deep.ent.example.test") == ["192.0.2.30"], 10)
        self.assertNotIn("REFUSED", stack.dig("mail.example.test"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
