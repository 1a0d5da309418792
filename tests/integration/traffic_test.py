#!/usr/bin/env python3
"""Traffic that follows the answers: clients resolve a load balancer's name, keep the answer for its TTL and fetch a page
from the address, while origins flap, start cold and are drained.

Needs what powerdns_test.py needs.
"""
import http.client
import http.server
import json
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import dns_wire  # noqa: E402
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from powerdns_test import ZONE  # noqa: E402

FIRST, SECOND = "127.0.0.2", "127.0.0.3"
NAME = "lb.example.test"
TTL = 1


class Origin:
    """A web server that counts: /healthz by what `verdict` says of the check's number, / for clients."""

    def __init__(self, address, port):
        self.checks = 0
        self.pages = 0
        self.verdict = lambda number: True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                well = True
                if self.path == "/healthz":
                    outer.checks += 1
                    well = outer.verdict(outer.checks)
                else:
                    outer.pages += 1
                self.send_response(200 if well else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Client(threading.Thread):
    """Fetches pages one after the other from the address it resolved, until stopped."""

    def __init__(self, dns_port, web):
        super().__init__(daemon=True)
        self.asker = dns_wire.Asker(dns_port, window=1)
        self.web = web
        self.ended = threading.Event()
        self.fetched = 0
        self.failures = []

    def resolve(self):
        record = self.asker.ask([dns_wire.Question(NAME, 1)])[0].sections[0][0]
        return ".".join(map(str, record[4])), time.monotonic() + record[3]

    def run(self):
        address, until = "", 0.0
        while not self.ended.is_set():
            try:
                if time.monotonic() >= until:
                    address, until = self.resolve()
                connection = http.client.HTTPConnection(address, self.web, timeout=5)
                connection.request("GET", "/")
                status = connection.getresponse().status
                connection.close()
                if status != 200:
                    self.failures.append(f"{address}: {status}")
                self.fetched += 1
            except Exception as error:  # whatever it is, the request failed
                self.failures.append(f"{address}: {error!r}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(30)


def objects(port):
    return f"""\
monitors:
  - {{name: web, type: http, port: {port}, path: /healthz, interval_ms: 500, timeout_ms: 450, consecutive_up: 1,
     consecutive_down: 2}}
pools:
  - {{name: first, monitor: web, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: second, monitor: web, origins: [{{name: o, address: {SECOND}}}]}}
load_balancers:
  - {{name: {NAME}, default_pools: [first, second], ttl: {TTL}}}
"""


class Traffic(stack.StackCase):
    def setUp(self):
        super().setUp()
        self.web = daemons.free_port()
        self.stack.write("example.test.zone", ZONE)
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", objects(self.web)))

    def origin(self, address):
        made = Origin(address, self.web)
        self.addCleanup(made.stop)
        return made

    def start(self):
        self.stack.start_navigator()
        self.stack.start_pdns()

    def health(self, endpoint):
        listed = json.loads(self.stack.call("GET", "/v1/health")[1])["endpoints"]
        return next(one["health"] for one in listed if one["endpoint"] == endpoint)

    def test_a_flap_shorter_than_the_fall_changes_nothing(self):
        first = self.origin(FIRST)
        self.origin(SECOND)
        self.start()
        wait_for("the first is up", lambda: self.health("first/o") == "up")
        wait_for("it is answered", lambda: self.stack.short(NAME) == [FIRST])
        before = self.stack.command("transitions", "first/o").stdout
        first.verdict = lambda number: number % 2 == 0  # every other check fails, and two in a row would be a fall
        begin = first.checks
        answers = set()

        def flapped():
            answers.add(tuple(self.stack.short(NAME)))
            return first.checks >= begin + 24
        wait_for("24 checks were made", flapped, 60)
        self.assertEqual(answers, {(FIRST,)})
        self.assertEqual(self.stack.command("transitions", "first/o").stdout, before)
        first.verdict = lambda number: False  # and it would have been noticed
        wait_for("a longer one is a fall", lambda: self.stack.short(NAME) == [SECOND])

    def test_a_cold_start_answers_no_dead_address(self):
        self.origin(SECOND)  # the first is dead from the beginning
        for start in range(3):
            with self.subTest(start=start):
                self.start()  # until PowerDNS answers anything
                seen = {tuple(self.stack.short(NAME)) for _ in range(20)}
                self.assertEqual(seen, {(SECOND,)})
                self.stack.stop_pdns()
                self.stack.daemon.stop()
                os.unlink(self.stack.path("navigator.db-health.json"))  # as if nothing had been known

    def test_a_drain_under_load_fails_no_request(self):
        first, second = self.origin(FIRST), self.origin(SECOND)
        self.start()
        wait_for("the first is answered", lambda: self.stack.short(NAME) == [FIRST])
        wait_for("the second is up", lambda: self.health("second/o") == "up")
        with Client(self.stack.port, self.web) as one, Client(self.stack.port, self.web) as other:
            wait_for("traffic is at the first", lambda: first.pages > 200)
            self.assertEqual(second.pages, 0)
            self.stack.command("endpoint", "drain", "first/o", "--reason", "new disk")
            wait_for("the second is answered", lambda: self.stack.short(NAME) == [SECOND])
            answered = time.monotonic()
            # An answer from before may live for its TTL; from then on the drained one is left alone and may go.
            wait_for("the TTL is over", lambda: time.monotonic() > answered + TTL + 1.0)
            left_at = first.pages
            wait_for("traffic is at the second", lambda: second.pages > 200)
            self.assertEqual(first.pages, left_at)
            first.stop()
            more = second.pages + 500
            wait_for("traffic goes on", lambda: second.pages > more)
        self.assertEqual(one.failures + other.failures, [])
        self.assertGreater(one.fetched + other.fetched, 900)


if __name__ == "__main__":
    unittest.main(verbosity=2)
