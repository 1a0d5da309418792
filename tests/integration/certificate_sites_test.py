#!/usr/bin/env python3
"""Certificates over several sites: the CA looks at the site that is behind, and never sees a value missing.

A primary and replicas, each with its pdns_server; what a replica hears of its primary goes through a relay that delays
it. A few orders of each kind by default; SOVEREIGN_LONG=1: 20 for each delay, and 200 names at five Navigators.
"""
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_sites  # noqa: E402
import certificate_stack  # noqa: E402
import daemons  # noqa: E402

LONG = os.environ.get("SOVEREIGN_LONG") == "1"
DELAYS_S = (0.1, 0.5, 1, 2, 5) if LONG else (0.1, 2)
ORDERS = 20 if LONG else 2
MISSED_S = 8  # for so long a dead site is surely in service yet
NAMES = 200 if LONG else 20


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class CertificateSitesTest(certificate_sites.SitesTestCase):
    def asked_to_validate(self):
        return self.shared.log("pebble.log").count("Pulled a task from the Tasks queue")

    def refused_by_the_ca(self):
        """Authorizations that the CA found no right value for."""
        return [line for line in self.shared.log("pebble.log").splitlines()
                if "set INVALID" in line or "Incorrect TXT" in line or "No TXT records" in line]

    def orders_at_the_ca(self):
        return sum("Added order" in line for line in self.shared.log("pebble.log").splitlines())

    def test_five_navigators_one_order_for_each_name(self):
        self.up(4)
        labels = [f"name{number}" for number in range(NAMES)]
        for label in labels:
            self.create(label)
        self.wait_for_certificates(labels, 60 + NAMES)
        self.assertEqual(self.orders_at_the_ca(), NAMES)
        self.assertEqual(self.refused_by_the_ca(), [])
        print(f"    {NAMES} names at 5 Navigators: {self.orders_at_the_ca()} orders at the CA", flush=True)

    def test_a_site_that_is_behind_delays_and_fails_nothing(self):
        self.up(2)
        for delay_s in DELAYS_S:
            self.relays[-1].delay_s = delay_s
            labels = [f"late{str(delay_s).replace('.', '-')}x{number}" for number in range(ORDERS)]
            begin = time.monotonic()
            for label in labels:
                self.create(label)
            self.wait_for_certificates(labels, 60 + 10 * delay_s)
            self.assertEqual(self.refused_by_the_ca(), [])
            print(f"    {delay_s} s behind: {ORDERS} certificates in {time.monotonic() - begin:.1f} s", flush=True)

    def json(self, *words):
        return json.loads(self.primary.command(*words, "--json").stdout)

    def attempts(self, label):
        """Of which kind they were and why, the oldest first."""
        return [(one["outcome"], one["detail"]) for one in reversed(self.json("cert", "why", label)["attempts"])]

    def newest_attempt(self, label):
        return max(one["at_ms"] for one in self.json("cert", "why", label)["attempts"])

    def service_of(self, site, label):
        [row] = [one for one in self.json("cert", "why", label)["sites"] if one["site"] == site.name]
        return row

    def test_a_site_that_is_cut_off_and_answers_defers_until_it_is_heard_of_again(self):
        """Ten seconds without a word make a dead site; this one answers from what it had, and a CA may ask it."""
        self.gate_timeout_s = 2
        self.up(1)
        self.create("before")
        self.wait_for_certificates(["before"], 60)
        before = self.certificates()
        challenges = self.asked_to_validate()
        cut = self.sites[-1]  # the one that the CA asks
        self.relays[-1].cut()
        self.create("cut")
        daemons.wait_for("the order is deferred", lambda: self.attempts("cut"))
        silent = lambda: [reason for _, reason in self.attempts("cut") if "cut off and may still answer" in reason]
        daemons.wait_for("the primary hears nothing of it", silent, 40)
        # Now it is asked whether it answers: a dead one is out of service within four seconds.
        end = time.monotonic() + (60 if LONG else 5)
        while time.monotonic() < end:
            newest = self.newest_attempt("cut")  # only the last few are kept, so that they cannot be counted
            daemons.wait_for("another attempt", lambda n=newest: self.newest_attempt("cut") != n, 20)
        kinds = {outcome for outcome, _ in self.attempts("cut")}
        self.assertEqual(kinds, {"deferred"})
        row = self.service_of(cut, "cut")
        self.assertTrue(row["in_service"], "it answers, so it is no dead site")
        self.assertGreater(row["behind"], 0)
        self.assertIn("site_behind", [one["code"] for one in self.json("cert", "why", "cut")["faults"]])
        self.assertEqual(self.asked_to_validate(), challenges, "the CA was not asked to look")
        self.assertEqual(self.certificates(), before)
        self.relays[-1].mend()
        self.wait_for_certificates(["cut"], 60)
        self.assertEqual(self.refused_by_the_ca(), [])
        self.assertEqual({outcome for outcome, _ in self.attempts("cut")[:-1]}, {"deferred"})
        print(f"    a site that is cut off: {len(self.attempts('cut')) - 1} times deferred, then issued", flush=True)

    def test_a_dead_site_defers_until_it_is_out_of_service(self):
        self.gate_timeout_s = 2
        self.up(2)
        self.create("before")
        self.wait_for_certificates(["before"], 60)
        before = self.certificates()
        challenges = self.asked_to_validate()
        self.assertGreater(challenges, 0)
        # The middle one dies: the CA's own stays.
        dead = self.sites[1]
        dead.stop()
        stopped = time.monotonic()
        labels = [f"dead{number}" for number in range(ORDERS)]
        for label in labels:
            self.create(label)
        # First it is in service, and orders wait: the reason names the site, and the CA was not asked to look.
        daemons.wait_for("an order is deferred", lambda: self.attempts(labels[0]))
        in_service = self.service_of(dead, labels[0])["in_service"]
        if time.monotonic() - stopped < MISSED_S:
            self.assertTrue(in_service, "a dead site is missed for ten seconds")
        deferred = []
        for label in labels[:2]:  # of twenty, some have their first turn after the ten seconds
            daemons.wait_for(f"{label} has its turn", lambda name=label: self.attempts(name))
            outcome, reason = self.attempts(label)[0]
            if time.monotonic() - stopped >= MISSED_S and outcome != "deferred":
                continue
            self.assertEqual(outcome, "deferred", reason)
            self.assertIn(dead.name, reason)
            self.assertNotIn("s0", reason)
            self.assertNotIn("s2", reason)
            deferred.append(label)
        self.assertTrue(deferred, "the first has its turn at once")
        asked, there = self.asked_to_validate(), self.certificates()
        if time.monotonic() - stopped < MISSED_S:
            self.assertEqual((asked, there), (challenges, before))
        # Then it is out of service, and only then there are certificates.
        self.wait_for_certificates(labels, 120)
        for label in labels:
            self.assertFalse(self.service_of(dead, label)["in_service"])
            kinds = [outcome for outcome, _ in self.attempts(label)]
            self.assertLessEqual(set(kinds[:-1]), {"deferred"}, kinds)
            self.assertGreaterEqual(len(kinds), 2 if label in deferred else 1)
            self.assertEqual(kinds[-1], "issued", kinds)
        self.assertEqual(self.refused_by_the_ca(), [])
        print(f"    a dead site: orders deferred, then {len(labels)} issued without it", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
