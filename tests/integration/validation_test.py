#!/usr/bin/env python3
"""A validating resolver before a PowerDNS whose caches live an hour, asked all the time while health flips ten times a
second: no answer is bogus, whatever a pool does when all its endpoints are down, with NSEC and with NSEC3.

unbound validates, makes denials out of the chains it saw (RFC 8198) and keeps nothing longer than a second, so that it
holds records of different moments against each other, which is where a set of types that moved would show. Needs what
powerdns_test.py needs, and unbound.
"""
import itertools
import json
import os
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import dns_wire  # noqa: E402
import powerdns_test  # noqa: E402
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from powerdns_test import ZONE  # noqa: E402

A, TXT, AAAA, HTTPS = 1, 16, 28, 65
SECONDS = 60 if os.environ.get("SOVEREIGN_LONG") else 8
PATIENCE_SECONDS = 90  # the resolver asks for a name once a second: it may meet the same draw several times in a row
FLIPS_PER_SECOND = 10
POLICIES = ("serve-all", "keep-last", "fallback", "empty")


def objects():
    pools = "".join(
        f"  - {{name: {policy}, monitor: own, all_down: {policy.replace('-', '_')}, origins: ["
        f"{{name: a, address: 192.0.2.{number}, address6: '2001:db8::{number}'}}, "
        f"{{name: b, address: 192.0.2.{number + 100}}}]}}\n"
        for number, policy in enumerate(POLICIES, 1)
    )
    balancers = "".join(
        f"  - {{name: '{owner}', default_pools: [{policy}], fallback_pool: last, ttl: 1,\n"
        "     service_bindings: [{type: HTTPS, alpn: [h2]}]}\n"
        for policy in POLICIES
        for owner in (f"{policy}.example.test", f"*.{policy}-apps.example.test")
    )
    # And one whose draw is another each second, also between the lookups of one query.
    pools += (
        "  - {name: drawn, origin_steering: {policy: random}, origins: [{name: a, address: 192.0.2.211, address6: "
        "'2001:db8::211'}, {name: b, address: 192.0.2.212, address6: '2001:db8::212'}]}\n"
    )
    balancers += (
        "  - {name: draw.example.test, default_pools: [drawn], ttl: 1, service_bindings: [{type: HTTPS, alpn: [h2]}]}\n"
    )
    return (
        "monitors:\n  - {name: own, type: push, interval_ms: 60000, consecutive_up: 1, consecutive_down: 1}\n"
        f"pools:\n{pools}  - {{name: last, origins: [{{name: o, address: 192.0.2.250, address6: '2001:db8::250'}}]}}\n"
        f"load_balancers:\n{balancers}"
    )


def questions():
    """What exists, what does not exist at the same names, and names that do not exist at all."""
    asked = []
    for policy in POLICIES:
        for name in (f"{policy}.example.test", f"x.{policy}-apps.example.test"):
            asked += [dns_wire.Question(name, rtype, do=True, recursion=True) for rtype in (A, AAAA, HTTPS, TXT)]
        asked.append(dns_wire.Question(f"no.{policy}.example.test", A, do=True, recursion=True))
    asked += [dns_wire.Question("draw.example.test", rtype, do=True, recursion=True) for rtype in (A, AAAA, HTTPS, TXT)]
    return asked


class Flips(threading.Thread):
    """Reports about every endpoint, each up or down by a draw: both, one or none of a pool are up."""

    def __init__(self, report):
        super().__init__(daemon=True)
        self.report = report
        self.ended = threading.Event()
        self.rounds = 0
        self.failure = None

    def run(self):
        begin = time.monotonic()
        draw = random.Random(4033)  # by turns would keep step with the resolver's cache, which then sees one state only
        try:
            for number in itertools.count():
                for policy in POLICIES:
                    self.report(f"{policy}/a", draw.random() < 0.5)
                    self.report(f"{policy}/b", draw.random() < 0.5)
                self.rounds = number + 1
                if self.ended.wait(max(0.0, begin + self.rounds / FLIPS_PER_SECOND - time.monotonic())):
                    return
        except Exception as error:  # the test raises it
            self.failure = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure


class Validation(stack.StackCase):
    anchors = powerdns_test.Dnssec.anchors

    def setUp(self):
        super().setUp()
        self.stack.write("example.test.zone", ZONE)
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", objects()))
        self.stack.start_navigator()
        self.stack.start_pdns()
        self.sequence = time.time_ns() // 1000

    def report(self, endpoint, success):
        self.sequence += 1
        body = {"endpoint": endpoint, "success": success, "sequence": self.sequence, "at_ms": int(time.time() * 1000)}
        status, text = self.stack.call("POST", "/v1/reports", json.dumps(body))
        assert status == 204, text

    def resolver(self, name):
        """unbound with the zone's keys as its only anchor; its port."""
        port = daemons.free_port()
        keys = [line for line in self.stack.axfr().splitlines() if line.split()[3:5] == ["DNSKEY", "257"]]
        anchors = self.stack.write(f"{name}.anchors", "".join(line + "\n" for line in keys))
        config = self.stack.write(
            f"{name}.conf",
            f"""\
server:
  interface: 127.0.0.1@{port}
  port: {port}
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  pidfile: ""
  directory: "{self.stack.folder}"
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor-file: "{anchors}"
  do-not-query-localhost: no
  local-zone: "test." nodefault
  aggressive-nsec: yes
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  val-bogus-ttl: 0
  val-log-level: 2
stub-zone:
  name: "example.test."
  stub-addr: 127.0.0.1@{self.stack.port}
remote-control:
  control-enable: no
""",
        )
        daemon = daemons.Daemon(["unbound", "-d", "-c", config], self.stack.path(f"{name}.log"))
        self.addCleanup(daemon.stop)
        return port

    def hammer(self, chain):
        port = self.resolver(chain)
        asker = dns_wire.Asker(port, window=16)
        first = [dns_wire.Question("serve-all.example.test", A, do=True, recursion=True)]

        def validates():
            answer = asker.ask(first)[0]
            return answer is not None and answer.rcode == 0 and answer.flags & 0x20

        wait_for(f"unbound validates with {chain}", validates)
        asked = questions()
        seen = {}
        answers = 0
        names = [name for policy in POLICIES for name in (f"{policy}.example.test", f"x.{policy}-apps.example.test")]

        def unchanged():
            """The names at which the resolver did not see health move yet."""
            return [name for name in names if len(seen.get((name, A), ())) < 2]

        with Flips(self.report) as flips:
            begin = time.monotonic()
            while time.monotonic() < begin + SECONDS or (unchanged() and time.monotonic() < begin + PATIENCE_SECONDS):
                for question, answer in zip(asked, asker.ask(asked)):
                    self.assertIsNotNone(answer, question.text())
                    self.check(question, answer)
                    addresses = frozenset(rr[4] for rr in answer.sections[0] if rr[1] == question.rtype)
                    seen.setdefault((question.name, question.rtype), set()).add(addresses)
                    answers += 1
        self.assertEqual(unchanged(), [], f"health moved for {flips.rounds} rounds and the resolver never saw it")
        self.assertNotIn("validation failure", self.stack.log(f"{chain}.log"))
        print(f"{chain}: {answers} answers during {flips.rounds} rounds of flips, none bogus", file=sys.stderr)

    def check(self, question, answer):
        """Every answer is secure (AD), and what exists is never denied."""
        self.assertIn(answer.rcode, (0, 3), f"{chr(10)}{question.text()}{chr(10)}{answer.text()}")
        self.assertTrue(answer.flags & 0x20, f"{chr(10)}{question.text()}{chr(10)}{answer.text()}")
        self.assertEqual(answer.rcode == 3, question.name.startswith("no."), question.text())
        exists = question.rtype != TXT and not question.name.startswith("no.")
        found = any(record[1] == question.rtype for record in answer.sections[0])
        self.assertEqual(found, exists, f"{chr(10)}{question.text()}{chr(10)}{answer.text()}")

    def test_nothing_is_bogus_while_health_flips(self):
        self.stack.pdnsutil("secure-zone", "example.test")
        wait_for("NSEC", lambda: "NSEC" in self.stack.dig("nothing.example.test", "A", "+dnssec").split(), 10)
        self.hammer("NSEC")
        self.stack.pdnsutil("set-nsec3", "example.test", "1 0 0 -")
        wait_for("NSEC3", lambda: "NSEC3" in self.stack.dig("nothing.example.test", "A", "+dnssec").split(), 10)
        self.hammer("NSEC3")


if __name__ == "__main__":
    unittest.main(verbosity=2)
