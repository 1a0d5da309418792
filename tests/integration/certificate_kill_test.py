#!/usr/bin/env python3
"""kill -9 at each step of an order.

A proxy before pebble kills Navigator at a chosen request: before the CA hears of it, or after the CA acted and before
Navigator learns it. After each it starts again and finishes what it began: one certificate for each tenant, no TXT
value left over, and no order beside one that lives. A second order is right in two cases, which are counted: the answer
to the first was lost with the process (nothing tells it that there is one: Boulder would give the same one back, pebble
makes another), or the CA looked while the backend was dead, PowerDNS answered SERVFAIL, and the CA declared the order
invalid. One round of each step; SOVEREIGN_LONG=1: 50.
"""
import os
import re
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import ca_proxy  # noqa: E402
import certificate_stack  # noqa: E402
import daemons  # noqa: E402

LONG = os.environ.get("SOVEREIGN_LONG") == "1"
ROUNDS = 50 if LONG else 1
STEPS = [(kind, after) for kind in ca_proxy.KINDS if kind not in ("nonce-plz", "sign-me-up") for after in (False, True)]


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class CertificateKillTest(unittest.TestCase):
    def setUp(self):
        port = daemons.free_port()
        self.stack = certificate_stack.CertificateStack(ca_port=port)
        self.addCleanup(self.stack.close)
        path = self.stack.files.path
        self.proxy = ca_proxy.CaProxy(port, path("server.pem"), path("server.key"), path("ca.pem"))
        self.addCleanup(self.proxy.close)
        self.proxy.ca_port = self.stack.pebble.port
        self.stack.start()

    def certificate_of(self, label, seconds=60):
        try:
            return daemons.wait_for(f"a certificate of {label}", lambda: self.stack.certificates_of(label), seconds)
        except AssertionError as error:
            log = self.stack.files.log
            raise AssertionError(f"{error}\n{log('navigator.log')[-3000:]}\n{log('pebble.log')[-1500:]}") from None

    def create(self, label):
        self.stack.command("tenant", "create", label, "--plan", "pro", "--primary", "ams")

    def killed_at(self, label, kind, after):
        pid = self.stack.navigator.daemon.pid
        sprung = self.proxy.set_trap(kind, after, lambda: os.kill(pid, signal.SIGKILL))
        try:
            self.create(label)
        except AssertionError:
            if not sprung.wait(5):  # else it was killed while the command waited for its answer, the tenant is there
                raise
        self.assertTrue(sprung.wait(30), f"no {kind} was asked for {label}")
        self.stack.navigator.stop(signal.SIGKILL)
        self.stack.navigator.start()
        self.certificate_of(label)

    def test_one_certificate_whatever_the_moment_of_death(self):
        self.create("first")  # the account is made
        self.certificate_of("first")
        lost = set()
        for number in range(ROUNDS):
            for step, (kind, after) in enumerate(STEPS):
                label = f"t{number}x{step}"
                self.killed_at(label, kind, after)
                if (kind, after) == ("order-plz", True):
                    lost.add(label)
        labels = ["first"] + [f"t{n}x{s}" for n in range(ROUNDS) for s in range(len(STEPS))]
        every = self.stack.certificates()
        invalid = self.invalid_orders()
        for label in labels:
            name = f"{label}.stream.example"
            self.assertEqual(len([one for one in every if name in one["names"]]), 1, label)
            orders = self.proxy.orders[tuple(sorted((name, "*." + name)))]
            allowed = 1 + (label in lost) + sum(order in invalid for order in orders)
            self.assertEqual(len(orders), allowed, f"{label}: {orders}, invalid {invalid}")
        self.assertEqual(self.proxy.finalized, len(labels), "a certificate was issued twice")

        def left_over():
            zone = self.stack.command("zone", "export", "stream.example").stdout
            return [line for line in zone.splitlines() if "_acme-challenge" in line]

        daemons.wait_for("the TXT values are gone", lambda: not left_over(), 30)
        print(f"    {len(labels) - 1} kills at {len(STEPS)} steps: 1 certificate each, 0 TXT values left; beside them "
              f"{len(lost)} orders whose answer was lost with the process, {len(invalid)} that the CA declared invalid "
              "because it looked while the backend was dead", flush=True)

    def invalid_orders(self):
        log = self.stack.files.log("pebble.log")
        return set(re.findall(r"order (\S+) set INVALID", log))


if __name__ == "__main__":
    unittest.main(verbosity=2)
