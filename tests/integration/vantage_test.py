#!/usr/bin/env python3
"""What three sites tell each other beside their votes, and what a pool's quorum makes of those; a real pdns_server at
one of them.

Needs what powerdns_test.py needs, and openssl.
"""
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import health_test  # noqa: E402
import powerdns_server  # noqa: E402
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from health_test import FIRST, SECOND  # noqa: E402
from powerdns_test import ZONE  # noqa: E402

MORE = f"""\
  - {{name: careful, monitor: web, quorum: 1, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: stubborn, monitor: web, quorum: 3, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: kept, monitor: own, all_down: keep_last,
     origins: [{{name: a, address: 192.0.2.201}}, {{name: b, address: 192.0.2.202}}]}}
  - {{name: loaded, monitor: own, origin_steering: {{policy: least_load}},
     origins: [{{name: a, address: 192.0.2.211}}, {{name: b, address: 192.0.2.212}}]}}
load_balancers:
  - {{name: most.example.test, default_pools: [first, second]}}
  - {{name: careful.example.test, default_pools: [careful, second]}}
  - {{name: stubborn.example.test, default_pools: [stubborn, second]}}
  - {{name: kept.example.test, default_pools: [kept]}}
  - {{name: loaded.example.test, default_pools: [loaded]}}
"""


class Vantage(health_test.ThreeSites):
    more = MORE

    def setUp(self):
        self.pdns_files = daemons.Folder(prefix="navigator-pdns-")
        self.addCleanup(self.pdns_files.remove)
        self.control = {"ams": [os.path.join(self.pdns_files.path("pdns"), "pdns.controlsocket")]}
        super().setUp()
        self.pdns = powerdns_server.PowerDns(
            self.pdns_files, "pdns", powerdns_server.unix(self.sites["ams"].remote, 5000), stack.CACHES_LONG)
        self.assertEqual([self.pdns.control], self.control["ams"])
        self.pdns.start()
        self.addCleanup(self.pdns.stop)

    @staticmethod
    def prepare(navigator):
        navigator.command("zone", "import", "example.test", navigator.folder.write("example.test.zone", ZONE))

    def short(self, name):
        return sorted(daemons.run("dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short", name, "A").stdout.split())

    def becomes(self, name, wanted):
        wait_for(f"{name} is {wanted}", lambda: self.short(f"{name}.example.test") == wanted)

    def report(self, site, endpoint, success, load=0.5, sequence=None):
        body = {"endpoint": endpoint, "success": success, "load": load, "at_ms": int(time.time() * 1000),
                "sequence": sequence or time.time_ns() // 1000}
        return self.sites[site].call("POST", "/v1/reports", json.dumps(body))[0]

    def reported(self, site, endpoint, success, load=0.5):
        wait_for(f"a report of {endpoint} is taken", lambda: self.report(site, endpoint, success, load) == 204)

    def everywhere(self, endpoint, health):
        for name in self.names:
            wait_for(f"{endpoint} is {health} at {name}", lambda name=name: self.found(name, endpoint) == health)

    def test_a_quorum_says_how_many_sites_must_agree(self):
        for name in ("most", "careful", "stubborn"):
            self.becomes(name, [FIRST])
        self.views["nyc"][FIRST].stop()
        self.becomes("careful", [SECOND])  # one of three is enough for its quorum of 1
        self.assertEqual((self.short("most.example.test"), self.short("stubborn.example.test")), ([FIRST], [FIRST]))
        self.views["sin"][FIRST].stop()
        self.becomes("most", [SECOND])
        self.assertEqual(self.short("stubborn.example.test"), [FIRST], "two of its three")
        self.views["ams"][FIRST].stop()
        self.becomes("stubborn", [SECOND])
        for name in self.names:
            self.views[name][FIRST].start()
        for name in ("most", "careful", "stubborn"):
            self.becomes(name, [FIRST])

    def test_a_report_to_one_site_reaches_all_with_its_load(self):
        self.reported("nyc", "loaded/a", True, 0.2)
        self.reported("nyc", "loaded/b", True, 0.7)
        for endpoint in ("loaded/a", "loaded/b"):
            self.everywhere(endpoint, "up")
        self.becomes("loaded", ["192.0.2.211"])
        sequence = time.time_ns() // 1000
        self.assertEqual(self.report("nyc", "loaded/a", False, 0.2, sequence), 204)
        self.everywhere("loaded/a", "down")
        self.becomes("loaded", ["192.0.2.212"])
        # What one site heard is a replay at every other.
        self.assertEqual(self.report("sin", "loaded/a", True, 0.2, sequence), 400)
        self.assertEqual(self.report("sin", "loaded/a", True, 0.1), 204)
        self.everywhere("loaded/a", "up")
        self.becomes("loaded", ["192.0.2.211"])

    def test_why_is_told_of_every_site(self):
        self.views["nyc"][FIRST].stop()
        wait_for("ams knows", lambda: self.seen("ams", "first/o")["sites"]["down"] == ["nyc"])
        seen = self.seen("ams", "first/o")
        words = {word["site"]: word for word in seen["sites"]["words"]}
        self.assertEqual((words["ams"]["says"], words["nyc"]["says"]), ("up", "down"))
        self.assertIn("refused", words["nyc"]["reason"])
        elsewhere = {one["site"]: one for one in seen["elsewhere"]}
        self.assertIn("refused", elsewhere["nyc"]["checks"][0]["reason"])
        self.assertTrue(elsewhere["sin"]["checks"][0]["success"])
        shown = self.sites["ams"].command("health", "first/o").stdout
        self.assertRegex(shown, r"nyc says down: .*refused")
        self.assertIn("\nnyc:\n", shown)
        self.assertRegex(self.sites["ams"].command("health").stdout, r"first/o .* nyc: .*refused")
        self.sites["nyc"].stop()
        wait_for("nyc is not heard", lambda: any(
            one["site"] == "nyc" and one.get("error") == "it is not heard"
            for one in self.seen("ams", "first/o")["elsewhere"]))

    def test_all_sites_keep_the_same_endpoint_and_a_restart_does_not_change_it(self):
        self.reported("ams", "kept/a", True)
        self.reported("ams", "kept/b", True)
        self.becomes("kept", ["192.0.2.201", "192.0.2.202"])
        self.reported("ams", "kept/a", False)
        self.everywhere("kept/a", "down")
        self.reported("ams", "kept/b", False)
        self.everywhere("kept/b", "down")
        self.becomes("kept", ["192.0.2.202"])
        known = self.sites["ams"].folder.path("navigator.db-health.json")

        def falls(name):
            with open(self.sites[name].folder.path("navigator.db-health.json"), encoding="utf-8") as file:
                return {one["endpoint"]: one["left_up_ms"] for one in json.load(file)["endpoints"]
                        if one["endpoint"].startswith("kept/")}

        def agree():
            found = [falls(name) for name in self.names]
            return len(found[0]) == 2 and found[0]["kept/b"] > found[0]["kept/a"] and found[1:] == found[:1] * 2
        wait_for("the sites agree which was up last", lambda: all(os.path.exists(
            self.sites[name].folder.path("navigator.db-health.json")) for name in self.names) and agree())
        before = falls("ams")
        self.sites["ams"].stop()
        self.sites["ams"].start()
        self.becomes("kept", ["192.0.2.202"])
        # A site that remembers nothing learns it from the others.
        self.sites["ams"].stop()
        os.remove(known)
        self.sites["ams"].start()
        wait_for("it is known again", lambda: os.path.exists(known) and falls("ams") == before)
        self.becomes("kept", ["192.0.2.202"])

    def test_a_restart_goes_on_with_what_the_sites_decided(self):
        self.views["ams"][FIRST].stop()
        wait_for("ams alone finds it down", lambda: self.seen("ams", "first/o")["observed"] == "down")
        self.assertEqual(self.found("ams", "first/o"), "up")
        for name in self.names:
            self.sites[name].stop()
        self.sites["ams"].start()  # and nobody else: its own word must not count for theirs
        rows = json.loads(self.sites["ams"].call("GET", "/v1/transitions?endpoint=first/o")[1])["transitions"]
        self.assertEqual(self.found("ams", "first/o"), "up", rows)
        self.assertEqual((rows[0]["to"], rows[0]["reason"]), ("up", "as before the restart"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
