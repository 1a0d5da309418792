#!/usr/bin/env python3
"""Answers that depend on the client, before a real pdns_server that reads client subnets and whose caches live an hour:
each client is told what is its own, whatever another one was told before it.

Needs what powerdns_test.py needs.
"""
import itertools
import json
import os
import re
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import powerdns_server  # noqa: E402
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from powerdns_test import ZONE  # noqa: E402

NORTH, SOUTH, ELSEWHERE = "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"
ADDRESS = {"north": "192.0.2.101", "south": "192.0.2.102", "home": "192.0.2.103"}
MAP = f"""\
{NORTH} north 60,10
{SOUTH} south -35,150
127.0.0.5/32 north 60,10
127.0.0.6/32 south -35,150
"""


def objects():
    places = {"north": "latitude: 60, longitude: 10", "south": "latitude: -35, longitude: 150",
              "home": "latitude: 52, longitude: 5"}
    pools = "".join(
        f"  - {{name: {name}, monitor: own, all_down: empty, {places[name]},\n"
        f"     origins: [{{name: o, address: {address}}}]}}\n"
        for name, address in ADDRESS.items())
    return f"""\
monitors:
  - {{name: own, type: push, interval_ms: 600000, consecutive_up: 1, consecutive_down: 1}}
pools:
{pools}load_balancers:
  - name: geo.example.test
    default_pools: [home]
    region_pools: {{north: [north], south: [south]}}
    steering_policy: geo
  - {{name: hash.example.test, default_pools: [north, south, home], steering_policy: hash}}
  - {{name: near.example.test, default_pools: [home, north, south], steering_policy: proximity}}
  - {{name: same.example.test, default_pools: [home, north, south]}}
"""


class ClientSubnets(stack.StackCase):
    settings = {"edns-subnet-processing": "yes"}

    def setUp(self):
        folder = daemons.Folder(prefix="navigator-map-")
        self.addCleanup(folder.remove)
        self.extra = f"geo: {{ cidr_map: {folder.write('clients.map', MAP)} }}\n"
        super().setUp()
        self.stack.write("example.test.zone", ZONE)
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", objects()))
        self.stack.start_navigator()
        self.stack.start_pdns()
        for pool in ADDRESS:
            self.report(pool, True)
        self.stack.purged()

    def report(self, pool, success):
        def taken():
            body = {"endpoint": f"{pool}/o", "success": success, "sequence": time.time_ns() // 1000,
                    "at_ms": int(time.time() * 1000)}
            return self.stack.call("POST", "/v1/reports", json.dumps(body))[0] == 204
        wait_for(f"a report of {pool} is taken", taken)

    def ask(self, name, subnet=None, source=None):
        """The addresses, and the scope of the answer (None: it says none)."""
        options = ([f"+subnet={subnet}"] if subnet else []) + (["-b", source] if source else [])
        text = self.stack.dig(f"{name}.example.test", "A", *options)
        self.assertIn("status: NOERROR", text)
        scope = re.search(r"CLIENT-SUBNET: \S+/(\d+)\n", text)
        return sorted(re.findall(r"\sA\s+(\S+)\n", text)), int(scope.group(1)) if scope else None

    def test_each_client_is_told_its_own_though_another_asked_before(self):
        wanted = {NORTH: "north", SOUTH: "south", ELSEWHERE: "home"}
        for _ in range(3):
            for subnet, pool in wanted.items():
                for name in ("geo", "near"):
                    addresses, scope = self.ask(name, subnet)
                    self.assertEqual(addresses, [ADDRESS[pool]], f"{name} {subnet}")
                    self.assertEqual(scope, 24, f"{name} {subnet}")
            # Resolvers that send no subnet are told by their own addresses.
            self.assertEqual(self.ask("geo", source="127.0.0.5")[0], [ADDRESS["north"]])
            self.assertEqual(self.ask("geo", source="127.0.0.6")[0], [ADDRESS["south"]])
            self.assertEqual(self.ask("geo", source="127.0.0.7")[0], [ADDRESS["home"]])
        self.assertEqual(self.ask("same", NORTH), ([ADDRESS["home"]], 0), "this one is everybody's")

    def test_a_prefix_sticks_to_its_pool(self):
        seen = set()
        for i in range(24):
            subnet = f"10.{i}.0.0/24"
            addresses, scope = self.ask("hash", subnet)
            self.assertEqual(self.ask("hash", subnet), (addresses, scope))
            self.assertEqual(scope, 24)
            seen.update(addresses)
        self.assertEqual(seen, set(ADDRESS.values()), "and prefixes spread")

    def test_a_client_is_never_told_that_there_is_nothing_because_another_one_was(self):
        self.report("home", False)
        self.report("north", False)
        self.stack.purged()
        for _ in range(3):
            # Of a region where all is down the first has nothing better; nobody else may hear that of it.
            self.assertEqual(self.ask("geo", source="127.0.0.5")[0], [ADDRESS["north"]])
            self.assertEqual(self.ask("geo", source="127.0.0.6")[0], [ADDRESS["south"]])
            self.assertEqual(self.ask("geo", NORTH)[0], [ADDRESS["north"]])
            self.assertEqual(self.ask("geo", SOUTH)[0], [ADDRESS["south"]])
        self.report("south", False)
        everybody = [{"source": "127.0.0.5"}, {"source": "127.0.0.6"}, {"subnet": NORTH}, {"subnet": ELSEWHERE}]
        for name in ("geo", "hash", "near", "same"):
            for client in everybody:
                wait_for(f"{name} has no answer for {client}",
                         lambda: self.ask(name, **client)[0] == [])  # noqa: B023
        self.report("south", True)
        for client in everybody[:2]:
            wait_for(f"{client} is answered again",
                     lambda: self.ask("hash", **client)[0] == [ADDRESS["south"]])  # noqa: B023
        wait_for("the south is answered again", lambda: self.ask("geo", source="127.0.0.6")[0] == [ADDRESS["south"]])
        self.assertEqual(self.ask("geo", source="127.0.0.5")[0], [ADDRESS["north"]])


class Relay(threading.Thread):
    """Between PowerDNS and Navigator's socket: every reply that names an address names others than the one before it,
    as if a step of time lay between any two lookups."""

    def __init__(self, path, behind):
        super().__init__(daemon=True)
        self.behind = behind
        self.replies = itertools.count(1)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(16)
        self.start()

    def run(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            far.connect(self.behind)
            threading.Thread(target=self.carry, args=(near, far, lambda line: line), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, self.changed), daemon=True).start()

    def changed(self, line):
        if b"192.0.2.20" not in line:
            return line
        number = next(self.replies) % 250
        return line.replace(b"192.0.2.20", b"198.51.%d." % number).replace(b"2001:db8:20::", b"2001:db8:%x::" % number)

    @staticmethod
    def carry(source, target, change):
        rest = b""
        while octets := source.recv(65536):
            *whole, rest = (rest + octets).split(b"\n")
            target.sendall(b"".join(change(line) + b"\n" for line in whole))
        target.close()

    def close(self):
        self.listener.close()


class OneLookup(stack.StackCase):
    """An RRset that is answered comes from one lookup, and is signed as it is: a draw that changes while a query runs
    tears nothing apart."""

    def setUp(self):
        super().setUp()
        self.stack.write("example.test.zone", ZONE + "to-draw.example.test. 60 IN CNAME draw.example.test.\n")
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", """\
pools:
  - name: draw
    origins:
      - {name: a, address: 192.0.2.201, address6: '2001:db8:20::1'}
      - {name: b, address: 192.0.2.202, address6: '2001:db8:20::2'}
load_balancers:
  - {name: draw.example.test, default_pools: [draw], ttl: 1, service_bindings: [{type: HTTPS, alpn: [h2]}]}
  - {name: "*.app.example.test", default_pools: [draw], ttl: 1}
"""))
        self.stack.start_navigator()
        self.stack.start_pdns()
        self.files = daemons.Folder(prefix="navigator-relay-")
        self.addCleanup(self.files.remove)
        relay = Relay(self.files.path("relay.sock"), self.stack.remote)
        self.addCleanup(relay.close)
        self.server = powerdns_server.PowerDns(
            self.files, "pdns", powerdns_server.unix(self.files.path("relay.sock"), 5000), powerdns_server.CACHES_OFF)
        self.server.start()
        self.addCleanup(self.server.stop)

    def answer(self, name, rtype):
        text = daemons.run("dig", "@127.0.0.1", "-p", str(self.server.port), "+dnssec", "+tries=1",
                           f"{name}.example.test", rtype).stdout
        self.assertIn("status: NOERROR", text)
        return text.partition("ANSWER SECTION")[2].partition("SECTION:")[0]

    def check(self):
        seen = set()
        for name, rtype in itertools.product(("draw", "x.app", "to-draw"), ("A", "AAAA")):
            for _ in range(5):
                found = re.findall(r"198\.51\.(\d+)\.[12]\b|2001:db8:(?!20:)(\w+)::[12]\b", self.answer(name, rtype))
                self.assertEqual(len(found), 2, f"{name} {rtype}: both origins")
                self.assertEqual(found[0], found[1], f"{name} {rtype}: of one lookup")
                seen.add(found[0])
        self.assertGreater(len(seen), 20, "lookups differed")
        hints = re.findall(r"198\.51\.(\d+)\.", self.answer("draw", "HTTPS"))
        self.assertEqual((len(hints), len(set(hints))), (2, 1))

    def test_what_is_answered_of_a_name_comes_from_one_lookup_of_it(self):
        self.check()
        for how in (("secure-zone", "example.test"), ("set-nsec3", "example.test", "1 0 0 -")):
            self.stack.pdnsutil(*how)
            wait_for("PowerDNS signs", lambda: "RRSIG" in self.answer("draw", "A"))
            self.check()


if __name__ == "__main__":
    unittest.main(verbosity=2)
