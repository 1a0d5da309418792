#!/usr/bin/env python3
"""Names that lead to others, before a real pdns_server whose caches live an hour: what PowerDNS made by way of a name
is forgotten when that name changes, by health or by a write.

Needs what powerdns_test.py needs.
"""
import json
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from powerdns_test import ZONE  # noqa: E402

FIRST, SECOND = "192.0.2.101", "192.0.2.102"
ALIASES = """\
lb-alias.example.test. 3600 IN CNAME lb.example.test.
chain.example.test. 3600 IN CNAME lb-alias.example.test.
*.many.example.test. 3600 IN CNAME chain.example.test.
app-alias.example.test. 3600 IN CNAME x.app.example.test.
mailed.example.test. 3600 IN MX 10 lb.example.test.
"""
OTHER = """\
other.test. 3600 IN SOA ns1.example.test. hostmaster.example.test. 1 10800 3600 604800 300
other.test. 3600 IN NS ns1.example.test.
far.other.test. 3600 IN CNAME lb.example.test.
www.other.test. 3600 IN CNAME www.example.test.
moved.other.test. 3600 IN DNAME app.example.test.
"""
OBJECTS = f"""\
monitors:
  - {{name: own, type: push, interval_ms: 600000, consecutive_up: 1, consecutive_down: 1}}
pools:
  - {{name: first, monitor: own, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: second, monitor: own, origins: [{{name: o, address: {SECOND}}}]}}
  - {{name: named, origins: [{{name: o, address: lb.example.test}}]}}
load_balancers:
  - {{name: lb.example.test, default_pools: [first, second], ttl: 3600}}
  - {{name: "*.app.example.test", default_pools: [first, second], ttl: 3600}}
  - {{name: img.example.test, default_pools: [named], ttl: 3600}}
"""


class Aliases(stack.StackCase):
    settings = {"dname-processing": "yes"}

    def setUp(self):
        super().setUp()
        for apex, text in (("example.test", ZONE + ALIASES), ("other.test", OTHER)):
            self.stack.write(f"{apex}.zone", text)
            self.stack.command("zone", "import", apex, self.stack.path(f"{apex}.zone"))
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", OBJECTS))
        self.stack.start_navigator()
        self.stack.start_pdns()
        for pool in ("first", "second"):
            self.report(pool, True)
        self.stack.purged()

    def report(self, pool, success):
        def taken():
            body = {"endpoint": f"{pool}/o", "success": success, "sequence": time.time_ns() // 1000,
                    "at_ms": int(time.time() * 1000)}
            return self.stack.call("POST", "/v1/reports", json.dumps(body))[0] == 204
        wait_for(f"a report of {pool} is taken", taken)

    def addresses(self, name, rtype="A"):
        """Of the whole message: answer and additional section."""
        return sorted(set(re.findall(r"\sA\s+(\S+)\n", self.stack.dig(name, rtype))))

    def holds(self, names, wanted, rtype="A"):
        for name in names:
            wait_for(f"{name} leads to {wanted}", lambda: self.addresses(name, rtype) == wanted)  # noqa: B023

    def test_a_flip_at_the_target_is_seen_at_every_name_that_leads_there(self):
        names = ["lb-alias.example.test", "chain.example.test", "x.many.example.test", "y.z.many.example.test",
                 "app-alias.example.test", "far.other.test", "x.moved.other.test", "img.example.test"]
        for down, wanted in (("first", SECOND), (None, FIRST), ("first", SECOND)):
            if down is None:
                self.report("first", True)
            else:
                self.report(down, False)
            self.holds(names, [wanted])
            self.holds(["mailed.example.test"], [wanted], "MX")
            # Once more, so that the next change finds all of it in PowerDNS's caches.
            self.stack.purged()
            self.holds(names, [wanted])
            self.holds(["mailed.example.test"], [wanted], "MX")

    def test_a_write_at_the_target_is_seen_at_every_name_that_leads_there(self):
        names = ["alias.example.test", "www.other.test"]
        for wanted in ("192.0.2.77", "192.0.2.78", "192.0.2.79"):
            self.stack.put("www", "A", [wanted])
            self.holds(names, [wanted])
            self.stack.purged()
            self.holds(names, [wanted])
        self.stack.put("mail", "A", ["192.0.2.80"])
        self.holds(["example.test"], ["192.0.2.80"], "MX")
        self.stack.put("mail", "A", ["192.0.2.81"])
        self.holds(["example.test"], ["192.0.2.81"], "MX")
        # Glue: a referral is cached under every name below the delegation.
        glue = lambda: re.findall(r"ns\.child\.example\.test\.\s+\d+\s+IN\s+A\s+(\S+)",  # noqa: E731
                                  self.stack.dig("deep.child.example.test"))
        self.assertEqual(glue(), ["192.0.2.40"])
        self.stack.put("ns.child", "A", ["192.0.2.41"])
        wait_for("the new glue", lambda: glue() == ["192.0.2.41"])

    def test_an_alias_that_moves_and_a_zone_that_comes_are_followed(self):
        self.stack.put("moving", "CNAME", ["lb.example.test."])
        self.holds(["moving.example.test"], [FIRST])
        self.report("first", False)
        self.holds(["moving.example.test"], [SECOND])
        self.stack.put("moving", "CNAME", ["www.example.test."])
        self.holds(["moving.example.test"], ["192.0.2.10", "192.0.2.11"])
        self.stack.put("www", "A", ["192.0.2.90"])
        self.holds(["moving.example.test"], ["192.0.2.90"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
