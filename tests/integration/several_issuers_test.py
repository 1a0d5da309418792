#!/usr/bin/env python3
"""Several Navigators, one issuer: five processes follow each other over one store, four replicas are beside them.

One process holds a store at a time (SQLite), so issuers on one store are those that follow each other: each is replaced
by `serve --replace` while its orders are under way, one of them is stopped (SIGSTOP) when its successor comes and goes
on later. The CA is asked for as many orders as there are names, and gives one certificate for each. The replicas may
not issue at all. 20 names by default; SOVEREIGN_LONG=1: 200, and a holder that stays stopped until its successor gives
up.
"""
import json
import os
import re
import signal
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, os.pardir, "support")]
import certificate_sites_test  # noqa: E402
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import domain_stack  # noqa: E402
import navigator_daemon  # noqa: E402

LONG = os.environ.get("SOVEREIGN_LONG") == "1"
NAMES = 200 if LONG else 20
PROCESSES = 5
IN_FLIGHT = 8  # orders of one Navigator


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def waits_on_a_socket(pid):
    return any(os.readlink(f"/proc/{pid}/fd/{one}").startswith("socket:") for one in os.listdir(f"/proc/{pid}/fd"))


class SeveralIssuers(certificate_sites_test.CertificateSitesTest):
    # Of the base only its sites are wanted.
    test_five_navigators_one_order_for_each_name = None
    test_a_site_that_is_behind_delays_and_fails_nothing = None
    test_a_dead_site_defers_until_it_is_out_of_service = None
    test_a_site_that_is_cut_off_and_answers_defers_until_it_is_heard_of_again = None

    def up(self, replicas):
        """The CA is behind a proxy, which holds what it is told to."""
        self.proxy_port = daemons.free_port()
        self.kind, self.after, self.held, self.free = "", False, 0, threading.Event()
        self.lock = threading.Lock()
        super().up(replicas)

    def acme(self, site):
        path = self.shared.path
        self.proxy = domain_stack.UnrulyCa(self.proxy_port, path("server.pem"), path("server.key"), path("ca.pem"))
        self.addCleanup(self.proxy.close)
        self.addCleanup(self.free.set)
        self.proxy.ca_port, self.proxy.behave = self.pebble.port, self._behave
        return super().acme(site).replace(f":{self.pebble.port}/dir", f":{self.proxy_port}/dir")

    def _behave(self, kind, forward):
        if kind != self.kind or self.free.is_set():
            return forward()
        answer = forward() if self.after else None
        with self.lock:
            self.held += 1
        self.free.wait(100)
        return answer or forward()

    def hold(self, kind, after=False):
        self.kind, self.after, self.held, self.free = kind, after, 0, threading.Event()

    def successor(self):
        """Started beside the one that holds the store."""
        log = self.sites[0].files.path("navigator.log")
        new = daemons.Daemon([navigator_daemon.NAVIGATOR, "--config", self.primary.config, "serve", "--replace"], log)
        self.addCleanup(new.stop)
        return new

    def taken_over_by(self, new):
        old = self.primary.daemon

        def made_room():
            if old.running():
                new.check()  # else nobody will take over
            return not old.running()

        daemons.wait_for("the former holder makes room", made_room, 60)
        self.assertEqual(old.process.wait(), 0, "the former holder ends well")
        self.primary.daemon = new

        def healthy():
            new.check()
            return self.primary.call("GET", "/healthz")[0] == 200

        daemons.wait_for("the successor serves", healthy)

    def create(self, label):
        body = json.dumps({"label": label, "plan": "pro", "primary": "ams"})
        status, answer = self.primary.call("POST", "/v1/tenants", body)
        self.assertEqual(status, 201, answer)

    def turns(self):
        return self.sites[0].files.log("navigator.log").count("acme: issues certificates")

    def issued(self):
        """Serials of what the CA made, by its log."""
        return re.findall(r"Issued certificate serial (\S+)", self.shared.log("pebble.log"))

    def succession(self, number):
        """The next process; the second holder is stopped while it is asked to make room."""
        stopped = number == 1
        if stopped:
            os.kill(self.primary.daemon.pid, signal.SIGSTOP)
        new = self.successor()
        if stopped:
            daemons.wait_for("the successor asks a holder that is stopped", lambda: waits_on_a_socket(new.pid))
            self.assertEqual(state_of(self.primary.daemon.pid), "T")
            if LONG:
                self.assertNotEqual(new.process.wait(60), 0, "it gives up")
            os.kill(self.primary.daemon.pid, signal.SIGCONT)
            if LONG:  # the holder hears what the successor wanted, finds it gone, and begins anew
                wanted = self.turns() + 1
                daemons.wait_for("the holder issues again", lambda: self.turns() >= wanted)
                new = self.successor()
        self.taken_over_by(new)

    def test_processes_that_follow_each_other_order_each_name_once(self):
        """Every order is at the CA and not yet proved when its holder makes room; the next one goes on with it."""
        self.up(4)
        labels = [f"name{number}" for number in range(NAMES)]
        share = NAMES // PROCESSES
        for number in range(PROCESSES):
            self.hold("authZ")
            for label in labels[number * share:(number + 1) * share]:
                self.create(label)
            daemons.wait_for("its orders are placed", lambda: self.held >= min(share, IN_FLIGHT))
            if number < PROCESSES - 1:
                self.succession(number)
            self.free.set()
            # What is held next shall be orders of the next names alone.
            self.wait_for_certificates(labels[:(number + 1) * share], 60 + NAMES)
        for site in self.sites[1:]:
            self.assertNotIn("acme:", site.files.log("navigator.yaml"), "a replica has no CA")
            self.assertNotIn("certificate stored", site.files.log("navigator.log"))
        self.assertEqual(len(self.certificates()), NAMES)
        self.assertEqual(len(self.issued()), NAMES, "a second certificate")
        self.assertEqual({len(orders) for orders in self.proxy.orders.values()}, {1}, self.proxy.orders)
        self.assertEqual(self.orders_at_the_ca(), NAMES)
        self.assertEqual(self.refused_by_the_ca(), [])
        holders = self.turns()
        self.assertEqual(holders, PROCESSES + LONG, "each had its turn, and the one that was stopped a second one")
        print(f"    {NAMES} names, {PROCESSES} processes one after the other, 4 replicas: {self.orders_at_the_ca()} "
              f"orders, {len(self.issued())} certificates, {holders} turns at the lease", flush=True)

    def test_an_order_whose_placing_the_former_holder_did_not_hear_of_is_found_again(self):
        """The CA took the order and nobody was told: nothing in the store names it, as after kill -9. The CA's list of
        the account's orders does."""
        self.up(1)
        self.hold("order-plz", after=True)
        self.create("held")
        daemons.wait_for("the order is placed", lambda: self.held == 1)
        self.succession(0)
        self.free.set()
        self.wait_for_certificates(["held"], 60)
        [orders] = self.proxy.orders.values()
        self.assertEqual(len(orders), 1)
        self.assertEqual(len(self.issued()), 1)

    def test_an_answer_that_comes_while_room_is_made_is_written_down(self):
        """The holder is asked to make room while the CA is about to answer: the successor knows the order's URL."""
        self.up(1)
        self.hold("order-plz", after=True)
        self.create("held")
        daemons.wait_for("the order is placed", lambda: self.held == 1)
        new = self.successor()
        daemons.wait_for("the successor asks the holder", lambda: waits_on_a_socket(new.pid))
        self.assertTrue(self.primary.daemon.running(), "it waits for the CA's answer")
        self.free.set()
        self.taken_over_by(new)
        self.wait_for_certificates(["held"], 60)
        [orders] = self.proxy.orders.values()
        self.assertEqual(len(orders), 1)
        self.assertNotIn("went on with an order that was placed before", self.sites[0].files.log("navigator.log"))

    def test_a_replica_with_a_ca_in_its_settings_does_not_start(self):
        self.up(1)
        replica = self.sites[1]
        replica.navigator.stop()
        with open(replica.navigator.config, encoding="utf-8") as file:
            settings = file.read()
        replica.files.write("navigator.yaml", settings + super().acme(replica))
        refused = daemons.run(navigator_daemon.NAVIGATOR, "--config", replica.navigator.config, "serve", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("acme", refused.stdout + refused.stderr)
        self.assertFalse(os.path.exists(replica.files.path("master.key")))
        self.assertEqual(self.orders_at_the_ca(), 0)


if not certificate_stack.programs_are_there():
    SeveralIssuers = unittest.skip("needs NAVIGATOR, pebble, pdns_server and openssl")(SeveralIssuers)

if __name__ == "__main__":
    unittest.main(verbosity=2)
