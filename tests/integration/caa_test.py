#!/usr/bin/env python3
"""CAA records for tenants' names (acme.caa: publish), with CAs that look at them before they issue.

A primary and two replicas, each with its pdns_server; the CAs ask the last site, which is behind its primary.
"""
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_sites  # noqa: E402
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import scripted_ca  # noqa: E402


@unittest.skipUnless(certificate_stack.programs_are_there() and scripted_ca.is_there(),
                     "needs NAVIGATOR, scripted_ca, pdns_server and openssl")
class CaaTest(certificate_sites.SitesTestCase):
    order = ("first", "second")
    publish = "publish"

    def start_ca(self):
        for ca in self.cas.values():
            ca.start(caa_identity=f"{ca.name}.example", caa=True)
            self.addCleanup(ca.stop)

    def acme(self, site):
        if not hasattr(self, "cas"):
            self.cas = {name: scripted_ca.ScriptedCa(self.shared, self.sites[-1].pdns.port, name)
                        for name in ("first", "second", "third")}
        bundle = f"ca_bundle: {self.shared.path('ca.pem')}"
        one, *others = (self.cas[name].directory for name in self.order)
        return f"""\
acme:
  directory: "{one}"
  {bundle}
  contact: "mailto:ops@example.org"
  master_key: {site.files.path("master.key")}
  first_retry: 1s
  caa: {self.publish}
  fallbacks:
""" + "".join(f"    - {{ directory: \"{url}\", {bundle} }}\n" for url in others)

    def restart(self):
        """With the settings as this object has them now."""
        self.primary.stop()
        with open(self.primary.config, encoding="utf-8") as file:
            text = file.read()
        self.sites[0].files.write("navigator.yaml", text[:text.index("acme:\n")] + self.acme(self.sites[0]))
        self.primary.start()

    def caa(self, site, name):
        done = daemons.run("dig", "@127.0.0.1", "-p", str(site.pdns.port), "+short", "+time=2", "+tries=1", name, "CAA",
                           check=False)
        return sorted(done.stdout.splitlines())

    def wanted(self, *names):
        listed = json.loads(self.primary.command("acme", "account", "list", "--json").stdout)
        accounts = {one["directory"]: one["account"] for one in listed["accounts"]}
        values = [f'"{name}.example; accounturi={accounts[self.cas[name].directory]}; validationmethods=dns-01"'
                  for name in names]
        return sorted(f"0 {tag} {value}" for tag in ("issue", "issuewild") for value in values)

    def at_every_site(self, label, content, seconds=30):
        name = f"{label}.stream.example"

        def seen():
            found = [self.caa(site, name) for site in self.sites]
            return all(one == (content() if callable(content) else content) for one in found)

        try:
            daemons.wait_for(f"the CAA records of {name} at every site", seen, seconds, 0.1)
        except AssertionError as error:
            found = [self.caa(site, name) for site in self.sites]
            raise AssertionError(f"{error}\n{found}\n{self.sites[0].files.log('navigator.log')[-3000:]}") from None

    def issuer_of(self, label):
        listed = json.loads(self.primary.command("cert", "list", "--json").stdout)["certificates"]
        [one] = [one for one in listed if one["name"] == f"{label}.stream.example"]
        return one["authority"]

    def counted(self, what):
        return {name: self.cas[name].counters()[what] for name in self.cas}

    def test_they_name_our_accounts_at_every_site_before_an_order_counts_on_them(self):
        self.up(2)
        self.relays[-1].delay_s = 0.5
        self.create("one")
        self.wait_for_certificates(["one"], 60)
        self.assertEqual(self.issuer_of("one"), self.cas["first"].directory)
        self.at_every_site("one", lambda: self.wanted("first", "second"))
        self.assertEqual(self.counted("caa_refusals"), {"first": 0, "second": 0, "third": 0})
        said = json.loads(self.primary.command("cert", "why", "one", "--json").stdout)["caa"]
        self.assertEqual([(one["name"], len(one["records"])) for one in said], [("one.stream.example", 4)])

        # A CA that does not find itself in them refuses, and the next one is asked.
        self.cas["first"].set(caa_identity="another.example")
        self.create("two")
        self.wait_for_certificates(["two"], 60)
        self.assertEqual(self.issuer_of("two"), self.cas["second"].directory)
        self.assertGreater(self.counted("caa_refusals")["first"], 0)
        attempts = json.loads(self.primary.command("cert", "why", "two", "--json").stdout)["attempts"]
        [refused] = [one for one in attempts if one["outcome"] != "issued"]
        self.assertEqual(refused["outcome"], "policy")
        self.assertRegex(refused["detail"], "caa: CAA records at two.stream.example")

        # A CA joins at the head of the order and another one leaves, while a site is behind.
        self.order = ("third", "second")
        self.relays[-1].delay_s = 1.5
        self.restart()
        self.create("three")
        self.wait_for_certificates(["three"], 90)
        self.assertEqual(self.issuer_of("three"), self.cas["third"].directory)
        self.at_every_site("one", lambda: self.wanted("third", "second"))
        self.assertEqual(self.counted("caa_refusals")["third"], 0)
        self.assertEqual(self.counted("orders")["third"], 1)
        self.relays[-1].delay_s = 0

        # What a tenant says himself stands; a tenant that goes leaves none; and the setting can be taken back.
        own = '0 issue "own.example"'
        self.primary.put("stream.example", "two.stream.example.", "CAA", [own])
        self.at_every_site("two", [own])
        self.primary.command("tenant", "delete", "three")
        self.at_every_site("three", [])
        self.publish = "check"
        self.restart()
        self.at_every_site("one", [])
        self.at_every_site("two", [own])
        self.create("four")
        self.wait_for_certificates(["four"], 60)
        self.at_every_site("four", [])
        print(f"    orders {self.counted('orders')}, refused for CAA {self.counted('caa_refusals')}", flush=True)

    def test_bad_settings_are_said_with_their_place(self):
        self.publish = "always"
        self.shared = daemons.Folder(prefix="navigator-acme-")
        self.addCleanup(self.shared.remove)
        certificate_stack.make_tls(self.shared)
        self.sites = [certificate_sites.Site("s0")]
        self.addCleanup(self.sites[0].close)
        self.sites[0].configure(f"api: {{ unix: {self.sites[0].files.path('api.sock')} }}\n" + self.acme(self.sites[0]))
        refused = daemons.run(certificate_sites.navigator_daemon.NAVIGATOR, "--config", self.sites[0].navigator.config,
                              "serve", check=False, timeout=20)
        self.assertNotEqual(refused.returncode, 0)
        said = refused.stdout + refused.stderr
        self.assertRegex(said, r"acme\.caa")
        self.assertTrue(re.search("check", said) and re.search("publish", said), said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
