#!/usr/bin/env python3
"""kill -9 at each step of an order.

At the CA's requests: a proxy before pebble kills Navigator before the CA hears of one, or after the CA acted and before
Navigator learns it. At the local steps: its disk kills it at a chosen commit (deadly_disk.c), of an order, a renewal, a
custom domain's order and a failover. After each it starts again and finishes what it began: one certificate for each
name, no TXT value left over, and no order beside one that lives.

A second order is right in one case, which is counted: the CA looked while the backend was dead, PowerDNS answered
SERVFAIL, and the CA declared the order invalid (RFC 8555 section 7.1.6: nothing leads out of that). One whose URL was
lost with the answer to newOrder is found in the account's list of orders; at a CA that has no such list and gives no
pending order back either, as RFC 8555 allows, it would be a second one too. One round of each step;
SOVEREIGN_LONG=1: 50.
"""
import itertools
import os
import re
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import ca_proxy  # noqa: E402
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import deadly_stack  # noqa: E402

LONG = os.environ.get("SOVEREIGN_LONG") == "1"
ROUNDS = 50 if LONG else 1
REQUESTS = [(kind, after) for kind in ca_proxy.SCRIPTED_KINDS for after in (False, True)]
REQUESTS = REQUESTS if LONG else [("cert", True)]
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
        for number in range(ROUNDS):
            for step, (kind, after) in enumerate(STEPS):
                self.killed_at(f"t{number}x{step}", kind, after)
        labels = ["first"] + [f"t{n}x{s}" for n in range(ROUNDS) for s in range(len(STEPS))]
        every = self.stack.certificates()
        invalid = self.invalid_orders()
        for label in labels:
            name = f"{label}.stream.example"
            self.assertEqual(len([one for one in every if name in one["names"]]), 1, label)
            orders = self.proxy.orders[tuple(sorted((name, "*." + name)))]
            allowed = 1 + sum(order in invalid for order in orders)
            self.assertEqual(len(orders), allowed, f"{label}: {orders}, invalid {invalid}")
        self.assertEqual(self.proxy.finalized, len(labels), "a certificate was issued twice")

        def left_over():
            zone = self.stack.command("zone", "export", "stream.example").stdout
            return [line for line in zone.splitlines() if "_acme-challenge" in line]

        daemons.wait_for("the TXT values are gone", lambda: not left_over(), 30)
        print(f"    {len(labels) - 1} kills at {len(STEPS)} steps: 1 certificate each, 0 TXT values left; beside them "
              f"{len(invalid)} orders that the CA declared invalid because it looked while the backend was dead",
              flush=True)

    def invalid_orders(self):
        log = self.stack.files.log("pebble.log")
        return set(re.findall(r"order (\S+) set INVALID", log))


# The stages that a death may leave in the store; which commit leaves which is counted, not assumed.
STAGES = {"order written down", "order placed", "values committed", "certificate stored, values left"}


@unittest.skipUnless(deadly_stack.programs_are_there(), "needs NAVIGATOR, scripted_ca, pdns_server, openssl and cc")
class DeathAtACommit(unittest.TestCase):
    """The local steps: Navigator dies at each commit of an order in turn, before it or right after it. And at each
    request of kinds of orders that the other test has none of.

    A second order is nowhere right here, with one exception that is counted: the CA looked while the backend was dead,
    so that the order became invalid."""

    def setUp(self):
        self.stack = deadly_stack.DeadlyStack()
        self.addCleanup(self.stack.close)
        self.stack.start()
        if LONG:  # two orders on a page otherwise, and a list of more than a hundred pages is not read to its end
            self.stack.ca.set(orders_a_page=100)
        self.seen, self.kills, self.wanted = {}, 0, 0

    def tenant(self, label):
        if label not in self.stack.command("tenant", "list", check=False).stdout:
            self.stack.command("tenant", "create", label, "--plan", "pro", "--primary", "ams", check=False)

    def good(self, name, other_than=""):
        """Its certificate, and nothing of the order left."""
        found = [one for one in self.stack.json("cert", "list")["certificates"] if one["name"] == name]
        ready = found and found[0]["fingerprint"] not in ("", other_than) and found[0]["state"] == "valid"
        return found[0] if ready and self.stack.stage(name) == "nothing under way" else None

    def await_good(self, name, other_than="", seconds=60):
        def look():
            if self.stack.is_dead():  # at a commit that came right after the end of its order
                self.kills += 1
                self.stack.rise_again()
            try:
                return self.good(name, other_than)
            except AssertionError:
                return None  # it is dying

        try:
            return daemons.wait_for(f"one certificate of {name} and nothing else", look, seconds, 0.1)
        except AssertionError as error:
            said = self.stack.command("cert", "why", name, check=False)
            log = self.stack.files.log("navigator.log")[-2500:]
            raise AssertionError(f"{error}\n{self.stack.stage(name)}\n{said.stdout}{said.stderr}\n{log}") from None

    def ended(self, name, other_than):
        """Dead, or through with it."""
        if self.stack.is_dead():
            return "dead"
        try:
            return "through" if self.good(name, other_than) else None
        except AssertionError:
            return None  # it died while it was asked

    def killed(self, name, act, other_than=""):
        """Acts, waits for the death that was arranged, and lets it go on; false when nothing died any more."""
        try:
            act()
        except AssertionError:
            pass  # it died under the command
        how = daemons.wait_for("it dies or ends", lambda: self.ended(name, other_than), 60, 0.05)
        self.stack.disarm()
        if self.stack.is_dead():  # perhaps at a commit that came after its end
            how = "dead"
        if how == "dead":
            stage = self.stack.stage(name)
            self.seen[stage] = self.seen.get(stage, 0) + 1
            self.kills += 1
            self.stack.rise_again()
            act()
        self.await_good(name, other_than)
        self.wanted += 1
        return how == "dead"

    def at_each_commit(self, what, names, step, rounds=ROUNDS):
        """`what(name)` gives the act and the certificate before; `step`: how many commits further each time."""
        for number in range(rounds):
            commit = 1 + number % step
            while True:
                for when in ("after", "before") if LONG else ("after",):
                    name = next(names)
                    act, before = what(name)
                    self.stack.arm(commit, when)
                    died = self.killed(name, act, before)
                if not died:
                    break
                commit += step

    def at_each_request(self, what, names, kinds):
        for _ in range(ROUNDS):
            for kind, after in kinds:
                name = next(names)
                act, before = what(name)
                pid = self.stack.navigator.daemon.pid
                sprung = self.stack.proxy.set_trap(kind, after, lambda pid=pid: os.kill(pid, signal.SIGKILL))
                self.assertTrue(self.killed(name, act, before), f"no {kind} was asked for {name}")
                self.assertTrue(sprung.wait(5))

    def check(self, what, cas, stages=frozenset()):
        counted = [ca.counters() for ca in cas]
        orders, invalid = (sum(one[of] for one in counted) for of in ("orders", "invalid"))
        self.assertEqual(sum(one["finalizes"] for one in counted), self.wanted, "certificates of the CAs")
        self.assertLessEqual(orders, self.wanted + invalid, f"{counted}")
        self.assertEqual(self.stack.rows("SELECT owner, name FROM challenge WHERE owner LIKE 'acme/%'"), [])
        self.assertEqual(self.stack.rows("SELECT * FROM acme_order"), [])
        self.assertLessEqual(set(stages), set(self.seen), "stages that no death left")
        print(f"    {what}: {self.kills} kills, left {self.seen}; {self.wanted} certificates, {orders} orders, "
              f"{invalid} of them invalid because the CA looked while the backend was dead, 0 values left", flush=True)

    def test_an_order(self):
        names = (f"n{number}.stream.example" for number in itertools.count())

        def sign_up(name):
            return (lambda: self.tenant(name.split(".")[0])), ""

        # Which commit is what depends on who writes beside it: a stage may be missed once.
        for _ in range(3):
            self.at_each_commit(sign_up, names, 1)
            if set(STAGES) <= set(self.seen):
                break
        self.check("at each commit of an order", [self.stack.ca], STAGES)
        listed = self.stack.json("cert", "list")["certificates"]
        self.assertEqual(len(listed), self.wanted)

    def test_a_renewal_that_names_what_it_replaces(self):
        self.stack.ca.set(window_s=[20 * 86400, 40 * 86400])
        self.tenant("again")
        name = "again.stream.example"
        self.await_good(name)
        self.wanted = 1

        def renew(_):
            before = self.good(name)["fingerprint"]

            def known():
                return self.stack.stage(name) != "nothing under way" and "under way" or self.good(name)

            def act():
                # A death may have come before the wish was known: it is in memory until an order is written down.
                now = daemons.wait_for(f"{name} is known", known)
                if now != "under way" and now["fingerprint"] == before:
                    self.stack.command("cert", "order", name)

            return act, before

        names = itertools.repeat(name)
        self.at_each_commit(renew, names, 1 if LONG else 4)
        self.at_each_request(renew, names, REQUESTS)
        self.check("a renewal", [self.stack.ca])
        self.assertGreaterEqual(self.stack.ca.counters()["replaces"], self.wanted - 1)

    def test_a_custom_domain(self):
        names = (f"d{number}.customer.example" for number in itertools.count())

        def add(name):
            number = int(name.split(".")[0][1:])
            owner = f"owner{number // 8}"  # the plan has no room for more
            if number % 8 == 0:
                self.tenant(owner)
                self.await_good(f"{owner}.stream.example")
                self.wanted += 1
            self.stack.claim(owner, name)
            self.stack.set_customer_zone()
            return (lambda: self.stack.json("domain", "verify", owner, name)), ""

        self.at_each_commit(add, names, 1 if LONG else 4)
        self.at_each_request(add, names, REQUESTS)
        self.check("a custom domain", [self.stack.ca])

    def test_a_failover(self):
        """The first CA has no more for the platform's domain this week."""
        self.tenant("first")
        self.await_good("first.stream.example")
        self.stack.ca.set(domain={"count": 1, "per_ms": 7 * 86400 * 1000})
        self.tenant("second")
        self.await_good("second.stream.example")
        self.stack.ca.set(domain={"count": 1, "per_ms": 7 * 86400 * 1000})
        self.wanted = 2
        names = (f"f{number}.stream.example" for number in itertools.count())
        self.at_each_commit(lambda name: ((lambda: self.tenant(name.split(".")[0])), ""), names, 1 if LONG else 4)
        self.check("a failover", [self.stack.ca, self.stack.second])
        self.assertGreaterEqual(self.stack.second.counters()["orders"], self.wanted - 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
