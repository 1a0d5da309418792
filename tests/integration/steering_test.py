#!/usr/bin/env python3
"""Load balancers before a real pdns_server whose caches live an hour: origins on loopback addresses come and go.

Needs what powerdns_test.py needs.
"""
import http.server
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from powerdns_test import ZONE  # noqa: E402

FIRST, SECOND, THIRD = "127.0.0.2", "127.0.0.3", "127.0.0.4"


class Origin:
    """A web server on one loopback address that can be stopped and started again."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"up\n")

        def log_message(self, *_):
            pass

    def __init__(self, address, port):
        self.place = (address, port)
        self.server = None
        self.start()

    def start(self):
        self.server = http.server.ThreadingHTTPServer(self.place, self.Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def objects(port):
    return f"""\
monitors:
  - {{name: web, type: http, port: {port}, interval_ms: 200, timeout_ms: 100, consecutive_up: 1, consecutive_down: 2,
     expected_body: up}}
pools:
  - {{name: first, monitor: web, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: second, monitor: web, origins: [{{name: o, address: {SECOND}}}]}}
  - {{name: both, pools: [first, second]}}
  - {{name: last, origins: [{{name: o, address: 192.0.2.250}}]}}
  - {{name: cdn, origins: [{{name: o, address: cdn.example.net}}]}}
  - name: careful
    monitor: web
    all_down: fallback
    origins: [{{name: o, address: {FIRST}}}]
load_balancers:
  - {{name: example.test, default_pools: [first, second]}}
  - {{name: lb.example.test, default_pools: [first, second]}}
  - {{name: "*.app.example.test", default_pools: [first, second]}}
  - {{name: nested.example.test, default_pools: [both]}}
  - {{name: careful.example.test, default_pools: [careful], fallback_pool: last}}
  - {{name: img.example.test, default_pools: [cdn]}}
"""


class LoadBalancers(stack.StackCase):
    """The zone and what `declared` says for the port of two web servers, both found up."""

    declared = staticmethod(objects)

    def setUp(self):
        super().setUp()
        self.web = daemons.free_port()
        self.origins = {address: Origin(address, self.web) for address in (FIRST, SECOND)}
        for origin in self.origins.values():
            self.addCleanup(origin.stop)
        self.stack.write("example.test.zone", ZONE)
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.file = self.stack.write("lb.yaml", self.declared(self.web))
        self.stack.command("steering", "apply", self.file)
        self.stack.start_navigator()
        self.stack.start_pdns()
        self.healthy(FIRST, "first/o")
        self.healthy(SECOND, "second/o")

    def health(self, endpoint):
        listed = json.loads(self.stack.call("GET", "/v1/health")[1])["endpoints"]
        return {one["endpoint"]: one["health"] for one in listed}.get(endpoint)

    def healthy(self, address, endpoint):
        wait_for(f"{address} is found up", lambda: self.health(endpoint) == "up")

    def becomes(self, name, wanted, rtype="A"):
        wait_for(f"{name} {rtype} is {wanted}", lambda: self.stack.short(name, rtype) == wanted)

    def revision(self):
        return json.loads(self.stack.call("GET", "/v1/status")[1])["revision"]


class Steering(LoadBalancers):
    def set(self):
        return json.loads(self.stack.command("steering", "show", "--json").stdout)

    def test_answers_follow_the_origins_though_every_cache_lives_an_hour(self):
        names = ["example.test", "lb.example.test", "x.app.example.test", "deep.er.app.example.test"]
        for name in names:
            self.becomes(name, [FIRST])
        self.becomes("nested.example.test", [FIRST, SECOND])
        self.stack.purged()
        self.origins[FIRST].stop()
        for name in names + ["nested.example.test"]:
            self.becomes(name, [SECOND])
        self.stack.purged()
        self.origins[FIRST].start()
        for name in names:
            self.becomes(name, [FIRST])
        self.becomes("nested.example.test", [FIRST, SECOND])
        pools = {one["name"]: one for one in json.loads(self.stack.call("GET", "/v1/pools")[1])["pools"]}
        self.assertEqual(pools["first"]["managed_by"], "operator")
        self.assertEqual(pools["first"]["endpoints"][0]["health"], "up")

    def test_the_fallback_answers_when_nothing_else_is_well(self):
        self.becomes("careful.example.test", [FIRST])
        self.origins[FIRST].stop()
        self.becomes("careful.example.test", ["192.0.2.250"])
        self.origins[FIRST].start()
        self.becomes("careful.example.test", [FIRST])

    def test_origins_that_are_names_are_a_cname(self):
        self.becomes("img.example.test", ["cdn.example.net."], "CNAME")
        self.assertEqual(self.stack.short("img.example.test", "A"), ["cdn.example.net."])

    def test_what_is_deleted_is_gone_at_once(self):
        self.becomes("lb.example.test", [FIRST])
        self.stack.command("balancer", "delete", "lb.example.test")
        self.becomes("lb.example.test", [])
        self.assertEqual(self.stack.call("GET", "/v1/load_balancers/lb.example.test")[0], 404)
        refused = self.stack.command("pool", "delete", "first", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("load_balancer example.test. (default_pools)", refused.stderr)

    def test_a_change_of_a_pool_is_answered_at_once(self):
        self.becomes("lb.example.test", [FIRST])
        file = self.stack.write("pool.yaml", f"name: first\norigins: [{{name: o, address: {THIRD}}}]\n")
        self.stack.command("pool", "put", file)
        # Unchecked now, so not yet judged: the other pool is up and comes before it.
        self.becomes("lb.example.test", [SECOND])
        self.becomes("nested.example.test", [SECOND])

    def test_an_equal_set_changes_nothing(self):
        before = self.revision()
        self.assertEqual(self.stack.command("steering", "apply", self.file).stdout, "nothing changes\n")
        shown = self.stack.write("shown.yaml", self.stack.command("steering", "show").stdout)
        self.assertEqual(self.stack.command("steering", "apply", shown).stdout, "nothing changes\n")
        self.assertEqual(self.revision(), before)
        less = self.stack.write("less.yaml", objects(self.web).split("  - {name: img")[0])
        dry = self.stack.command("steering", "apply", less, "--dry-run")
        self.assertEqual(dry.stdout, "- load_balancer img.example.test.\n")
        self.assertEqual(self.revision(), before)
        self.assertEqual(self.stack.command("steering", "apply", less).stdout, dry.stdout)
        self.assertEqual(self.revision(), before + 1)

    def test_wrong_input_exits_2_with_its_place_and_changes_nothing(self):
        good = objects(self.web)
        cases = [
            ("default_pools: [cdn]", "default_pools: [cdm]", "there is no pool 'cdm'"),
            ("default_pools: [cdn]", "default_pools: [cdn, last]", "cannot be answered together"),
            ("name: img.example.test", "name: img.example.com", "is in no zone"),
            ("name: img.example.test", "name: www.example.test", "has "),
            ("pools: [first, second]", "pools: [first, both]", "in a circle: both -> both"),
            ("monitor: web, origins", "monitor: wed, origins", "there is no monitor 'wed' (did you mean 'web'?)"),
            (f"address: {SECOND}", "address: 127.0.0.256", "is neither an IP address nor a host name"),
            ("timeout_ms: 100", "timeout_ms: 200", "may take 200 ms and is due every 200 ms"),
            ("all_down: fallback", "all_down: fallbak", "did you mean 'fallback'?"),
            ("all_down: fallback", "minimum_origins: 2", "has 1 enabled origins and needs 2"),
            ("expected_body: up", "expected_body_pattern: '('", "is no pattern"),
            ("monitors:", "monitor:", "the key 'monitor' is unknown"),
        ]
        before, present = self.revision(), self.set()
        for old, new, message in cases:
            with self.subTest(new):
                self.assertIn(old, good)
                file = self.stack.write("bad.yaml", good.replace(old, new, 1))
                for extra in ([], ["--dry-run"]):
                    refused = self.stack.command("steering", "apply", file, *extra, check=False)
                    self.assertEqual(refused.returncode, 2, refused.stderr)
                    self.assertRegex(refused.stderr, r"bad\.yaml:\d+:\d+: ")
                    self.assertIn(message, refused.stderr)
        self.assertEqual(self.revision(), before)
        self.assertEqual(self.set(), present)


if __name__ == "__main__":
    unittest.main(verbosity=2)
