#!/usr/bin/env python3
"""Certificates of tenants' own domains, end to end: a customer's zone, a real pdns_server, pebble as the CA, and an
edge that serves with nginx what Navigator hands out over mTLS."""
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns_server  # noqa: E402

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"

ZONE = "$TTL 5\n@ SOA ns1 h 1 3600 600 86400 1\n@ NS ns1\nns1 A 127.0.0.1\n"


def served(port, name):
    """SHA-256 of the leaf that is served for this name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname=name) as stream:
            return hashlib.sha256(stream.getpeercert(binary_form=True)).hexdigest()


class Edge:
    """What an edge does, step by step: the list, the bundles that differ, nginx, the proof, the acknowledgment."""

    def __init__(self, folder, navigator_port):
        self.folder = folder
        self.navigator_port = navigator_port
        self.port = daemons.free_port()
        self.bundles, self.acknowledged = {}, {}
        self.nginx = None
        self.context = ssl.create_default_context(cafile=folder.path("ca.pem"))
        self.context.check_hostname = False
        self.context.load_cert_chain(folder.path("edge.pem"), folder.path("edge.key"))

    def call(self, method, target, body=None):
        return certificate_stack.ask("127.0.0.1", self.navigator_port, self.context, method, target, body)

    def work(self):
        """One pass; the bundles that are served afterwards, by their first name."""
        status, text = self.call("GET", "/v1/edge/bundles")
        assert status == 200, text
        wanted = {item["id"]: item for item in json.loads(text)["bundles"]}
        changed = set(wanted) != set(self.bundles)
        for one, item in wanted.items():
            if self.bundles.get(one, {}).get("fingerprint") == item["fingerprint"]:
                continue
            status, text = self.call("GET", f"/v1/edge/bundles/{one}")
            if status != 200:
                return {}
            changed = True
            wanted[one] = json.loads(text)
            self.folder.write(one + ".pem", wanted[one]["chain_pem"])
            self.folder.write(one + ".key", wanted[one]["key_pem"])
        self.bundles = {one: {**self.bundles.get(one, {}), **item} for one, item in wanted.items()}
        if changed:
            self.serve()
        for one, item in self.bundles.items():
            name = item["names"][-1]
            if self.acknowledged.get(one) == item["fingerprint"]:
                continue
            daemons.wait_for(f"nginx serves {name}", lambda: served(self.port, name) == item["fingerprint"])
            body = {key: item[key] for key in ("id", "fingerprint", "sequence")}
            status, text = self.call("POST", "/v1/edge/acknowledgments", body)
            assert status in (204, 404, 409), text
            self.acknowledged[one] = item["fingerprint"]
        return {item["names"][-1]: item["fingerprint"] for item in self.bundles.values()}

    def serve(self):
        path = self.folder.path
        servers = "".join(
            f"server {{ listen 127.0.0.1:{self.port} ssl; server_name {' '.join(item['names'])};"
            f" ssl_certificate {path(one + '.pem')}; ssl_certificate_key {path(one + '.key')}; }}\n"
            for one, item in self.bundles.items())
        temporary = "".join(f"{kind}_temp_path {path('nginx-' + kind)};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.folder.write("nginx.conf", f"user root;\ndaemon off;\npid {path('nginx.pid')};\n"
                                   "error_log stderr;\n"
                                   f"events {{}}\nhttp {{ access_log off;\nserver_names_hash_bucket_size 128;\n"
                                   f"{temporary}{servers}}}\n")
        if self.nginx is None:
            if servers:
                self.nginx = daemons.Daemon([NGINX, "-e", "stderr", "-c", config], path("nginx.log"))
        else:
            self.nginx.process.send_signal(signal.SIGHUP)

    def stop(self):
        if self.nginx is not None:
            self.nginx.stop(signal.SIGTERM)


@unittest.skipUnless(certificate_stack.programs_are_there() and os.path.exists(NGINX), "pebble and nginx are needed")
class Bed(unittest.TestCase):
    CHALLENGE_ZONE = "acme.stream.example"  # empty: none

    def setUp(self):
        # What was asked before a change may be kept for a moment after it: not where the next look must be right.
        self.stack = certificate_stack.CertificateStack(reject_nonces=0, pdns=powerdns_server.CACHES_OFF)
        self.folder, self.navigator, self.pdns = self.stack.files, self.stack.navigator, self.stack.pdns
        with open(self.navigator.config, "a", encoding="utf-8") as settings:
            settings.write(f"""\
tenants:
  self_service: true
  challenge_zone: "{self.CHALLENGE_ZONE}"
  resolver: 127.0.0.1
  resolver_port: {self.pdns.port}
""")
        self.addCleanup(self.stack.close)
        self.stack.start()
        for zone in ("acme.stream.example", "customer.example"):
            self.navigator.import_zone(zone, ZONE)
        self.run_json("tenant", "create", "acme-tv", "--plan", "basic", "--primary", "ams", "--json")
        certificate_stack.sign(self.folder, "edge", "DNS:edge-ams-1")
        self.folder.write("empty", "")
        self.edge = Edge(self.folder, self.stack.port)
        self.addCleanup(self.edge.stop)
        self.records = {}

    def chain_of(self, name):
        """A file with the leaf and the root that signed it."""
        return self.folder.write(name + ".chain", self.folder.log(name + ".pem") + self.folder.log("ca.pem"))

    def run_json(self, *words):
        return json.loads(self.navigator.command(*words).stdout)

    def set_customer_zone(self):
        def line(one):
            content = f"\"{one['content']}\"" if one["type"] == "TXT" else one["content"]
            return f"{one['name']} {one['type']} {content}\n"

        lines = "".join(line(one) for records in self.records.values() for one in records)
        self.navigator.import_zone("customer.example", ZONE + lines)

    def add_domain(self, name, tenant="acme-tv"):
        self.records[name] = self.run_json("domain", "claim", tenant, name, "--json")["records_to_set"]
        self.set_customer_zone()
        daemons.wait_for(f"{name} is verified", lambda: self.verify(name, tenant)["state"] == "verified")

    def verify(self, name, tenant="acme-tv"):
        return self.run_json("domain", "verify", tenant, name, "--json")

    def why(self, name):
        return self.run_json("cert", "why", name, "--json")

    def edge_serves(self, name, wanted=lambda fingerprint: True):
        def look():
            fingerprint = self.edge.work().get(name)
            return fingerprint if fingerprint and wanted(fingerprint) else None

        try:
            return daemons.wait_for(f"the edge serves {name}", look, interval=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.folder.log('navigator.log')[-3000:]}") from error

    def sealed_certificates(self):
        return self.stack.certificates()


class Domains(Bed):
    def test_a_domain_is_proved_served_renewed_by_itself_and_removed(self):
        self.add_domain("www.customer.example")
        self.add_domain("shop.customer.example")
        first = self.edge_serves("www.customer.example")
        shop = self.edge_serves("shop.customer.example")
        own = self.edge_serves("acme-tv.stream.example")
        self.assertEqual(len({first, shop, own, served(self.edge.port, "www.customer.example")}), 3)
        why = self.why("www.customer.example")
        self.assertEqual((why["names"], why["kind"], why["tenant"]), (["www.customer.example"], "domain", "acme-tv"))
        # One domain's CNAME breaks: its own renewal waits and says why; everybody else's goes on.
        delegation = self.records["www.customer.example"].pop()
        self.set_customer_zone()
        for name in ("www.customer.example", "shop.customer.example", "acme-tv"):
            self.navigator.command("cert", "order", name)
        self.edge_serves("shop.customer.example", lambda fingerprint: fingerprint != shop)
        self.edge_serves("acme-tv.stream.example", lambda fingerprint: fingerprint != own)
        broken = daemons.wait_for("the broken one says why", lambda: self.why("www.customer.example")
                                  if self.why("www.customer.example")["last_error"] else None)
        self.assertIn("challenge_missing: there is no CNAME at '_acme-challenge.www.customer.example'",
                      broken["last_error"])
        self.assertEqual(served(self.edge.port, "www.customer.example"), first, "what it has is served on")
        # It is mended, and need not wait for its pause.
        self.records["www.customer.example"].append(delegation)
        self.set_customer_zone()
        daemons.wait_for("it is verified again", lambda: self.verify("www.customer.example")["state"] == "verified")
        self.edge_serves("www.customer.example", lambda fingerprint: fingerprint != first)
        # Removed: gone from the edge and from the vault.
        self.navigator.command("domain", "remove", "acme-tv", "www.customer.example")
        daemons.wait_for("the edge has it no longer", lambda: "www.customer.example" not in self.edge.work())
        daemons.wait_for("its key is gone", lambda: all("www.customer.example" not in one["names"]
                                                        for one in self.sealed_certificates()))
        self.assertIn("shop.customer.example", self.edge.work())

    def test_a_certificate_of_the_tenants_own_is_served_and_bad_ones_store_nothing(self):
        self.add_domain("www.customer.example")
        issued = self.edge_serves("www.customer.example")
        before = self.sealed_certificates()
        certificate_stack.sign(self.folder, "bank", "DNS:bank.example", 30)
        path = self.folder.path
        daemons.run("openssl", "pkey", "-in", path("bank.key"), "-aes256", "-passout", "pass:x", "-out",
                    path("locked.key"))
        bank = self.chain_of("bank")
        for words, problem in ((("--chain", bank, "--key", path("bank.key")), "none of your domains"),
                               (("--chain", bank, "--key", path("locked.key")), "is encrypted"),
                               (("--chain", path("empty"), "--key", path("empty")), "chain_pem")):
            refused = self.navigator.command("cert", "upload", "acme-tv", "www.customer.example", *words, check=False)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn(problem, refused.stderr)
        self.assertEqual(self.sealed_certificates(), before)
        certificate_stack.sign(self.folder, "mine", "DNS:www.customer.example", 30)
        mine = self.chain_of("mine")
        with open(path("mine.key"), encoding="utf-8") as key:
            done = daemons.run(navigator_daemon.NAVIGATOR, "--config", self.navigator.config, "cert", "upload",
                               "acme-tv", "www.customer.example", "--chain", mine, "--key", "-", "--json",
                               stdin=key.read())
        uploaded = json.loads(done.stdout)
        self.assertEqual(uploaded["source"], "upload")
        self.edge_serves("www.customer.example", lambda fingerprint: fingerprint == uploaded["fingerprint"])
        self.navigator.command("cert", "remove", "acme-tv", "www.customer.example")
        self.edge_serves("www.customer.example", lambda fingerprint: fingerprint == issued)


class MovingDomains(Bed):
    """Two tenants on one cluster and one edge; nothing in DNS but the proof tells whose a domain is."""

    CHALLENGE_ZONE = ""

    def domains_of(self, tenant):
        return [one["name"] for one in self.run_json("domain", "list", tenant, "--json")["domains"]]

    def add_apex(self, tenant):
        """The customer's apex, a zone of this store, which has addresses instead of a CNAME."""
        name = "customer.example"
        self.records[name] = [one for one in self.run_json("domain", "claim", tenant, name, "--json")["records_to_set"]
                              if one["type"] == "TXT"]
        self.set_customer_zone()

    def test_a_domain_moves_with_its_proof_and_no_certificate_with_it(self):
        name = "customer.example"
        beta = self.run_json("tenant", "create", "beta-tv", "--plan", "basic", "--primary", "ams", "--json")["id"]
        self.add_apex("acme-tv")
        former_proof = self.records[name]
        daemons.wait_for("it is the first one's", lambda: self.verify(name)["state"] == "verified")
        first = self.edge_serves(name)
        # The second one's claim alone takes nothing.
        self.add_apex("beta-tv")
        fresh_proof = self.records[name]
        self.records[name] = former_proof
        self.set_customer_zone()
        refused = daemons.wait_for("it is not proved", lambda: self.verify(name, "beta-tv"))
        self.assertEqual((refused["state"], "proof_wrong" in refused["reason"]), ("claimed", True), refused)
        self.assertEqual(self.domains_of("acme-tv"), [name])
        # The owner adds the fresh proof, and leaves the old one where it is.
        self.records[name] = former_proof + fresh_proof
        self.set_customer_zone()
        daemons.wait_for("it is the second one's", lambda: self.verify(name, "beta-tv")["state"] == "verified")
        self.assertEqual(self.domains_of("acme-tv"), [], "the former one's claim ended")
        answers = daemons.run("dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short", name, "A").stdout.split()
        self.assertEqual(answers, ["198.18.1.11"], "it answers all the while")
        second = self.edge_serves(name, lambda fingerprint: fingerprint != first)
        # The former one's bundle leaves when every site has the change, and nginx takes a moment to read its file.
        tenants = lambda: {item["tenant"] for item in self.edge.bundles.values() if name in item["names"]}
        daemons.wait_for("the second one's is served alone", lambda: self.edge.work() is not None
                         and tenants() == {"beta-tv"} and served(self.edge.port, name) == second)
        kept = {one["fingerprint"]: one["id"] for one in self.sealed_certificates() if name in one["names"]}
        self.assertEqual(kept, {second: f"tenant-{beta}"}, "nothing of the former one's is left")
        # The old record takes nothing back: another claim has another proof.
        again = self.run_json("domain", "claim", "acme-tv", name, "--json")
        self.assertEqual(again["state"], "claimed")
        self.assertIn("proof_wrong", self.verify(name)["reason"])
        self.assertEqual(self.domains_of("beta-tv"), [name])


if __name__ == "__main__":
    unittest.main(verbosity=2)
