#!/usr/bin/env python3
"""HTTPS and SVCB records of load balancers before a real pdns_server whose caches live an hour: their hints are the
addresses that are answered, their types never come and go with health, and a validator agrees.

Needs what powerdns_test.py needs.
"""
import json
import os
import shlex
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import powerdns_test  # noqa: E402
import steering_test  # noqa: E402
from daemons import run, wait_for  # noqa: E402
from steering_test import FIRST, SECOND  # noqa: E402

FIRST6, SECOND6 = "2001:db8::2", "2001:db8::3"
ECH = "AAX+DQABAA=="  # by its length a list of one configuration; nobody here uses it


def objects(port):
    return f"""\
monitors:
  - {{name: web, type: http, port: {port}, interval_ms: 200, timeout_ms: 100, consecutive_up: 1, consecutive_down: 2,
     expected_body: up}}
pools:
  - {{name: first, monitor: web, origins: [{{name: o, address: {FIRST}, address6: "{FIRST6}"}}]}}
  - {{name: second, monitor: web, origins: [{{name: o, address: {SECOND}, address6: "{SECOND6}"}}]}}
  - {{name: quiet, monitor: web, all_down: empty, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: cdn, origins: [{{name: o, address: cdn.example.net}}]}}
load_balancers:
  - name: example.test
    default_pools: [first, second]
    service_bindings: [{{type: HTTPS, alpn: [h2, http/1.1], port: 8443}}]
  - name: lb.example.test
    default_pools: [first, second]
    service_bindings:
      - type: HTTPS
        mandatory: [port]
        alpn: [h3]
        no_default_alpn: true
        port: 443
        ech: {ECH}
      - {{type: HTTPS, priority: 9, alpn: [h2], hints: false}}
      - {{type: SVCB, priority: 0, target: other.example.net}}
  - name: "*.app.example.test"
    default_pools: [first, second]
    service_bindings: [{{type: HTTPS}}]
  - name: quiet.example.test
    default_pools: [quiet]
    service_bindings: [{{type: HTTPS, alpn: [h2]}}]
  - {{name: img.example.test, default_pools: [cdn]}}
"""


def parameters(record):
    """"1 . alpn=h2" as ("1", ".", {"alpn": "h2"})."""
    priority, target, *rest = shlex.split(record)
    return priority, target, {key: value for key, _, value in (one.partition("=") for one in rest)}


class Bindings(steering_test.LoadBalancers):
    declared = staticmethod(objects)
    anchors = powerdns_test.Dnssec.anchors
    validated = powerdns_test.Dnssec.validated

    def https(self, name):
        return [parameters(one) for one in self.stack.short(name, "HTTPS")]

    def hinted(self, name, *addresses):
        """Waits until A, AAAA and HTTPS say the same addresses."""
        self.becomes(name, [addresses[0]])
        self.becomes(name, [addresses[1]], "AAAA")
        wait_for(f"{name} hints {addresses}", lambda: [
            (one[2].get("ipv4hint"), one[2].get("ipv6hint")) for one in self.https(name)] == [addresses])

    def flips(self):
        """The origins go down and up again, so that each moment has an answer of its own."""
        yield "all are up", (FIRST, FIRST6)
        self.origins[FIRST].stop()
        yield "the first is down", (SECOND, SECOND6)
        self.origins[SECOND].stop()
        wait_for("the second is found down", lambda: self.health("second/o") == "down")
        yield "all are down", (FIRST, FIRST6)
        self.origins[FIRST].start()
        self.origins[SECOND].start()
        self.healthy(SECOND, "second/o")
        self.healthy(FIRST, "first/o")
        yield "all are up again", (FIRST, FIRST6)

    def test_hints_are_the_addresses_that_are_answered(self):
        for moment, addresses in self.flips():
            with self.subTest(moment):
                self.hinted("example.test", *addresses)
                self.hinted("x.app.example.test", *addresses)
                self.assertEqual(self.https("example.test"), [("1", ".", {
                    "alpn": "h2,http/1.1", "port": "8443", "ipv4hint": addresses[0], "ipv6hint": addresses[1]})])
                self.stack.purged()

    def test_every_parameter_passes_powerdns(self):
        self.hinted("example.test", FIRST, FIRST6)
        wait_for("the first is answered", lambda: self.https("lb.example.test") == [
            ("1", ".", {"mandatory": "port", "alpn": "h3", "no-default-alpn": "", "port": "443", "ipv4hint": FIRST,
                        "ech": ECH, "ipv6hint": FIRST6}),
            ("9", ".", {"alpn": "h2"})])
        self.assertEqual(self.stack.short("lb.example.test", "SVCB"), ["0 other.example.net."])
        listed = [line.split(None, 4) for line in self.stack.axfr().splitlines()]
        self.assertEqual(sorted(one[3] for one in listed if one[0] == "lb.example.test."),
                         ["A", "AAAA", "HTTPS", "HTTPS", "SVCB"])
        transferred = [parameters(one[4]) for one in listed if one[0] == "example.test." and one[3] == "HTTPS"]
        self.assertEqual(transferred, self.https("example.test"))
        log = self.stack.log("pdns.log")
        self.assertNotIn("rror", "".join(line for line in log.splitlines() if "HTTPS" in line or "SVCB" in line))

    def test_without_an_address_the_record_stays(self):
        self.becomes("quiet.example.test", [FIRST])
        self.assertEqual(self.https("quiet.example.test"), [("1", ".", {"alpn": "h2", "ipv4hint": FIRST})])
        self.origins[FIRST].stop()
        self.becomes("quiet.example.test", [])
        wait_for("the hint is gone", lambda: self.https("quiet.example.test") == [("1", ".", {"alpn": "h2"})])
        self.assertEqual(self.stack.short("quiet.example.test", "SVCB"), [])

    def test_a_validator_agrees_and_the_types_do_not_move_with_health(self):
        self.hinted("x.app.example.test", FIRST, FIRST6)
        for chain in ("NSEC", "NSEC3"):
            if chain == "NSEC":
                self.stack.pdnsutil("secure-zone", "example.test")
            else:
                self.stack.pdnsutil("set-nsec3", "example.test", "1 0 0 -")
            wait_for(chain, lambda: chain in self.stack.dig("nothing.example.test", "A", "+dnssec").split(), 10)
            types = self.types(chain)
            self.assertEqual([set(one) - {"RRSIG", "NSEC"} for one in types], [
                {"A", "AAAA", "HTTPS", "SVCB"},
                {"A", "HTTPS"},
                {"A", "AAAA", "HTTPS"},
            ])
            for moment, addresses in self.flips():
                with self.subTest(chain=chain, moment=moment):
                    self.hinted("example.test", *addresses)
                    self.hinted("x.app.example.test", *addresses)
                    self.check_answers()
                    self.assertEqual(self.types(chain), types)
                    self.stack.purged()

    def types(self, chain):
        """The types that denials of another type list, of a name with every binding, of one whose pool may answer
        nothing, and of a wildcard."""
        found = []
        for name in ("lb.example.test", "quiet.example.test", "*.app.example.test"):
            denial = self.stack.dig(name, "TXT", "+dnssec", "+nocrypto", "+onesoa").splitlines()
            records = [line.split() for line in denial if line.split()[3:4] == [chain]]
            self.assertEqual(len(records), 1, denial)
            rdata = records[0][4:]
            found.append(rdata[1:] if chain == "NSEC" else rdata[5:])
        return found

    def check_answers(self):
        for name in ("example.test", "lb.example.test", "x.app.example.test", "quiet.example.test"):
            for rtype in ("HTTPS", "A"):
                seen = self.validated(name, rtype)
                self.assertIn("; fully validated", seen, f"{name} {rtype}")
        self.assertIn("; fully validated", self.validated("lb.example.test", "SVCB"))
        for name, rtype in (("example.test", "SVCB"), ("quiet.example.test", "AAAA"), ("ns1.example.test", "HTTPS"),
                            ("x.app.example.test", "SVCB"), ("nothing.example.test", "HTTPS")):
            self.assertIn("negative response, fully validated", self.validated(name, rtype), f"{name} {rtype}")
        zone = self.stack.write("signed.zone", self.stack.axfr())
        run("dnssec-verify", "-z", "-o", "example.test", zone)

    def test_bindings_are_shown_replaced_and_refused(self):
        self.hinted("example.test", FIRST, FIRST6)
        before = self.revision()
        shown = self.stack.write("shown.yaml", self.stack.command("steering", "show").stdout)
        self.assertEqual(self.stack.command("steering", "apply", shown).stdout, "nothing changes\n")
        one = self.stack.write("one.yaml", self.stack.command("balancer", "show", "lb.example.test").stdout)
        self.stack.command("balancer", "put", one)
        self.assertEqual(self.revision(), before)
        good = objects(self.web)
        for old, new, message in (
            ("default_pools: [cdn]", "default_pools: [cdn], service_bindings: [{type: HTTPS}]", "cannot stand beside the CNAME"),
            ("port: 8443", "prot: 8443", "the key 'prot' is unknown (did you mean 'port'?)"),
            (ECH, "AAX+DQ==", "is no ECHConfigList"),
            ("target: other.example.net", "target: .", "an alias leads to another name"),
            ("alpn: [h3]", "alpn: [h3, h3]", "'h3' is named twice"),
        ):
            with self.subTest(new):
                self.assertIn(old, good)
                refused = self.stack.command("steering", "apply", self.stack.write("bad.yaml", good.replace(old, new, 1)),
                                             check=False)
                self.assertEqual(refused.returncode, 2, refused.stderr)
                self.assertRegex(refused.stderr, r"bad\.yaml:\d+:\d+: .*service_bindings")
                self.assertIn(message, refused.stderr)
        self.assertEqual(self.revision(), before)
        wish = {"rrsets": [{"name": "example.test", "type": "HTTPS", "ttl": 60, "contents": ["1 . alpn=h2"]}]}
        status, body = self.stack.call("PUT", "/v1/zones/example.test/rrsets", json.dumps(wish))
        self.assertIn(status, (409, 422), body)
        self.assertIn("is a load balancer: it can have no HTTPS records", str(body))
        self.assertEqual(self.revision(), before)
        less = self.stack.write("less.yaml", good.replace("port: 8443", "port: 9443", 1))
        self.stack.command("steering", "apply", less)
        wait_for("the new port", lambda: [each[2].get("port") for each in self.https("example.test")] == ["9443"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
