#!/usr/bin/env python3
"""Every cache of PowerDNS lives an hour, its list of zones too, and still the next answer after a write is the new one.

Needs what powerdns_test.py needs. The measured time is from the acknowledgement of the write to the first new answer.
"""
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from powerdns_test import SECOND, ZONE  # noqa: E402

FRESH_WITHIN = 1.0


class Stack(stack.Stack):
    """The settings docs/powerdns.md recommends, with every cache at an hour."""

    def __init__(self):
        super().__init__({"zone-cache-refresh-interval": 3600})
        self.write("api.key", "test\n")
        self.write("navigator.yaml", f"""\
store: {{ url: "sqlite://{self.path('navigator.db')}" }}
remote: {{ unix: {self.remote} }}
api: {{ unix: {self.api} }}
powerdns:
  control: [{self.control}]
  api: [{{ url: "http://127.0.0.1:{self.web_port}/", key_file: {self.path('api.key')} }}]
""")


class Base(stack.StackCase):
    secure = False

    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)
        self.addCleanup(self.show_logs)
        self.latencies = []
        self.stack.write("example.test.zone", ZONE)
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.start_navigator()
        self.stack.start_pdns()
        if self.secure:
            self.stack.pdnsutil("secure-zone", "example.test")
            wait_for("the zone is signed", lambda: self.signed("www.example.test"), 5)

    def tearDown(self):
        if self.latencies:
            worst = max(self.latencies)
            mean = sum(self.latencies) / len(self.latencies)
            print(f"  {self.id().split('.', 1)[-1]}: {len(self.latencies)} changes, fresh after {mean * 1000:.1f} ms, "
                  f"at worst {worst * 1000:.1f} ms", flush=True)

    def signed(self, name, rtype="A"):
        return "RRSIG" in self.stack.dig(name, rtype, "+dnssec")

    def answer(self, name, rtype="A"):
        """What a client sees: the code, and the contents of the answer section without signatures."""
        text = self.stack.dig(name, rtype, *(["+dnssec"] if self.secure else []))
        code = text.split("status: ")[1].split(",")[0]
        section = text.split(";; ANSWER SECTION:")[1].split("\n\n")[0] if ";; ANSWER SECTION:" in text else ""
        rows = [line.split(None, 4) for line in section.splitlines() if line.strip()]
        if self.secure and code in ("NOERROR", "NXDOMAIN"):
            self.assertIn("RRSIG", text, f"{name} {rtype} is not signed")
        return code, sorted(row[4] for row in rows if row[3] != "RRSIG")

    def changes(self, change, *expected):
        """expected: (name, type, code, contents) that must hold after the change and none of which held before."""
        for name, rtype, code, contents in expected:
            for _ in range(2):
                before = self.answer(name, rtype)
            self.assertNotEqual(before, (code, contents), f"{name} {rtype} before the change")
        change()
        begin = time.monotonic()
        for name, rtype, code, contents in expected:
            wait_for(f"{name} {rtype} is {code} {contents}",
                              lambda: self.answer(name, rtype) == (code, contents), FRESH_WITHIN)
        self.latencies.append(time.monotonic() - begin)
        # The second purge, half a second later, must not bring anything old back either.
        for name, rtype, code, contents in expected:
            self.assertEqual(self.answer(name, rtype), (code, contents))


class Unsigned(Base):
    def test_records(self):
        put = self.stack.put
        ok, missing = "NOERROR", "NXDOMAIN"
        self.changes(lambda: put("www", "A", ["192.0.2.99"]), ("www.example.test", "A", ok, ["192.0.2.99"]))
        self.changes(lambda: put("www", "AAAA", ["2001:db8::9"]), ("www.example.test", "AAAA", ok, ["2001:db8::9"]))
        self.changes(lambda: put("www", "AAAA", []), ("www.example.test", "AAAA", ok, []))
        self.changes(lambda: put("new", "A", ["192.0.2.50"]), ("new.example.test", "A", ok, ["192.0.2.50"]),)
        self.changes(lambda: put("new", "A", []), ("new.example.test", "A", missing, []))
        self.changes(lambda: put("new", "CNAME", ["mail.example.test."]),
                     ("new.example.test", "A", ok, ["192.0.2.3", "mail.example.test."]))
        self.changes(lambda: put("new", "CNAME", []), ("new.example.test", "A", missing, []))
        self.changes(lambda: put("mail", "A", ["192.0.2.4"]), ("mail.example.test", "A", ok, ["192.0.2.4"]))
        self.changes(lambda: put("@", "TXT", ['"apex"']), ("example.test", "TXT", ok, ['"apex"']))

    def test_wildcards(self):
        put = self.stack.put
        ok, missing = "NOERROR", "NXDOMAIN"
        one, deep = "x.star.example.test", "a.b.star.example.test"
        self.changes(lambda: put("*.star", "A", ["192.0.2.60"]), (one, "A", ok, ["192.0.2.60"]),
                     (deep, "A", ok, ["192.0.2.60"]))
        self.changes(lambda: put("*.star", "A", ["192.0.2.61"]), (one, "A", ok, ["192.0.2.61"]), (deep, "A", ok, ["192.0.2.61"]))
        # A name of its own takes itself and what is below it from the wildcard.
        self.changes(lambda: put("b.star", "TXT", ['"here"']), ("b.star.example.test", "A", ok, []), (deep, "A", missing, []))
        self.changes(lambda: put("b.star", "TXT", []), ("b.star.example.test", "A", ok, ["192.0.2.61"]),
                     (deep, "A", ok, ["192.0.2.61"]))
        self.changes(lambda: put("*.star", "A", []), (one, "A", missing, []), (deep, "A", missing, []))
        self.changes(lambda: put("*", "A", ["192.0.2.62"]), ("any.example.test", "A", ok, ["192.0.2.62"]))
        self.changes(lambda: put("*", "A", []), ("any.example.test", "A", missing, []))

    def test_empty_non_terminals(self):
        put = self.stack.put
        ok, missing = "NOERROR", "NXDOMAIN"
        self.changes(lambda: put("a.b.c", "A", ["192.0.2.70"]), ("c.example.test", "A", ok, []),
                     ("b.c.example.test", "A", ok, []), ("a.b.c.example.test", "A", ok, ["192.0.2.70"]))
        self.changes(lambda: put("a.b.c", "A", []), ("c.example.test", "A", missing, []),
                     ("b.c.example.test", "A", missing, []), ("a.b.c.example.test", "A", missing, []))
        # One that covers names a wildcard answered.
        self.changes(lambda: put("x.y.wild", "A", ["192.0.2.71"]), ("y.wild.example.test", "A", ok, []),
                     ("z.y.wild.example.test", "A", missing, []))
        self.changes(lambda: put("x.y.wild", "A", []), ("y.wild.example.test", "A", ok, ["192.0.2.20"]),
                     ("z.y.wild.example.test", "A", ok, ["192.0.2.20"]))

    def test_zones(self):
        stack = self.stack
        stack.write("third.test.zone", SECOND.replace("second.test", "third.test"))
        stack.write("sub.zone", SECOND.replace("second.test", "sub.example.test"))
        load = lambda name, file: lambda: stack.command("zone", "import", name, stack.path(file))
        drop = lambda name: lambda: stack.command("zone", "delete", name)
        secure, self.secure = self.secure, False  # the new zones are unsigned
        for _ in range(2):
            self.changes(load("third.test", "third.test.zone"), ("www.third.test", "A", "NOERROR", ["198.51.100.1"]))
            self.changes(drop("third.test"), ("www.third.test", "A", "REFUSED", []))
        self.changes(load("sub.example.test", "sub.zone"), ("www.sub.example.test", "A", "NOERROR", ["198.51.100.1"]))
        self.changes(drop("sub.example.test"), ("www.sub.example.test", "A", "NXDOMAIN", []))
        self.secure = secure
        status = json.loads(stack.call("GET", "/v1/status")[1])["powerdns"]
        flushes = [one for one in status if "api" in one]
        self.assertEqual([(one["commands"], one["failures"], one["waiting"]) for one in flushes], [(6, 0, 0)], status)

    def test_a_zone_gets_keys(self):
        stack = self.stack
        stack.write("third.test.zone", SECOND.replace("second.test", "third.test"))
        stack.command("zone", "import", "third.test", stack.path("third.test.zone"))
        wait_for("the zone is known", lambda: stack.short("www.third.test"), FRESH_WITHIN)
        stack.dig("www.third.test", "A", "+dnssec")

        def becomes(change, condition):
            change()
            begin = time.monotonic()
            wait_for("the change shows", condition, FRESH_WITHIN)
            self.latencies.append(time.monotonic() - begin)

        becomes(lambda: stack.pdnsutil("secure-zone", "third.test"), lambda: self.signed("www.third.test"))
        self.assertEqual(len(stack.short("third.test", "DNSKEY")), 1)
        self.assertIn("NSEC\t", stack.dig("no.third.test", "A", "+dnssec"))
        becomes(lambda: stack.pdnsutil("set-nsec3", "third.test", "1 0 0 -"),
                lambda: "NSEC3" in stack.dig("no.third.test", "A", "+dnssec"))
        becomes(lambda: stack.pdnsutil("add-zone-key", "third.test", "zsk", "active", "ecdsa256"),
                lambda: len(stack.short("third.test", "DNSKEY")) == 2)
        becomes(lambda: stack.pdnsutil("disable-dnssec", "third.test"), lambda: not self.signed("www.third.test"))


class Signed(Unsigned):
    secure = True


class Unreachable(Base):
    def test_an_api_that_is_not_there_is_tried_again(self):
        stack = self.stack
        stack.stop_pdns()
        stack.write("third.test.zone", SECOND.replace("second.test", "third.test"))
        stack.command("zone", "import", "third.test", stack.path("third.test.zone"))

        def flushes():
            return [one for one in json.loads(stack.call("GET", "/v1/status")[1])["powerdns"] if "api" in one][0]

        failed = wait_for("a flush failed", lambda: flushes() if flushes()["failures"] else None)
        self.assertIn("connect", failed["last_error"])
        stack.start_pdns()
        wait_for("it was repeated", lambda: flushes()["commands"] == 1 and flushes()["last_error"] == "")
        self.assertIn("navigator_flush_failures_total", stack.call("GET", "/metrics")[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
