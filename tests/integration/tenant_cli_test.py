#!/usr/bin/env python3
"""The command line of somebody who has a token and nothing else of the machine: over TLS, as over the daemon's
socket."""
import json
import os
import stat
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402

ZONE = "$TTL 60\n@ SOA ns1 h 1 3600 600 86400 5\n@ NS ns1\nns1 A 127.0.0.1\n"
LABEL = "acme-tv"


class TenantCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = daemons.Folder(prefix="navigator-tenant-cli-")
        cls.addClassCleanup(cls.folder.remove)
        certificate_stack.make_tls(cls.folder)
        cls.port = daemons.free_port()
        cls.navigator = navigator_daemon.Navigator(
            cls.folder, api=f'listen: "127.0.0.1:{cls.port}", {certificate_stack.tls(cls.folder)}', extra=f"""\
topology: {cls.folder.write("topology.yaml", certificate_stack.TOPOLOGY)}
tenants:
  self_service: true
  challenge_zone: acme.stream.example
  resolver: 127.0.0.1
  resolver_port: {daemons.free_port()}
  requests_per_second: 1000
  burst: 1000
  plans: [{{ name: basic, records: 2, domains: 2, tokens: 5, pools: 1 }}]
  sign_up: {{ mode: invitation, plan: basic, clusters: [ams] }}
acme:
  directory: "https://localhost:{daemons.free_port()}/dir"
  ca_bundle: {cls.folder.path("ca.pem")}
  contact: "mailto:ops@example.org"
  master_key: {cls.folder.path("master.key")}
""")
        cls.addClassCleanup(cls.navigator.stop)
        cls.navigator.start()
        for zone in ("stream.example", "acme.stream.example"):
            cls.navigator.import_zone(zone, ZONE)
        cls.invitation = cls.folder.write("invitation", cls.navigator.command(
            "invitation", "create", "--uses", "10").stdout)
        cls.token = cls.folder.path("token")
        signed = cls.far("sign-up", LABEL, "--invitation-file", cls.invitation)
        assert signed.returncode == 0 and signed.stdout == f"{LABEL}.stream.example.\n", signed.stderr + signed.stdout

    @classmethod
    def far(cls, *words, token=None, server=None, ca=None):
        """As a tenant runs it: no settings file, the words in the command."""
        return daemons.run(navigator_daemon.NAVIGATOR, "--config", "/nonexistent", *words,
                           "--server", server or f"https://localhost:{cls.port}",
                           "--token-file", token or cls.token, "--ca", ca or cls.folder.path("ca.pem"), check=False)

    def same(self, *words):
        """What it prints, which is what the same command prints over the daemon's socket."""
        there, here = self.far(*words), self.navigator.command(*words, check=False)
        self.assertEqual((there.returncode, there.stdout, there.stderr), (here.returncode, here.stdout, here.stderr),
                         words)
        return there

    def done(self, *words):
        ran = self.far(*words)
        self.assertEqual(ran.returncode, 0, f"{words}: {ran.stderr}")
        return ran.stdout

    def test_everything_of_a_tenants_own(self):
        daemons.wait_for("the tenant is everywhere",
                         lambda: json.loads(self.done("tenant", "status", LABEL, "--json"))["everywhere"])
        self.assertIn("stream.example", self.same("tenant", "status", LABEL).stdout)
        self.assertIn("ams", self.same("tenant", "clusters", LABEL).stdout)
        self.done("record", "set", LABEL, "mail", "A", "192.0.2.9")
        self.assertIn("192.0.2.9", self.same("record", "list", LABEL).stdout)
        self.done("record", "delete", LABEL, "mail", "A")
        self.assertNotIn("192.0.2.9", self.same("record", "list", LABEL, "--json").stdout)
        self.assertIn("_acme-challenge", self.done("domain", "claim", LABEL, "www.customer.example"))
        self.assertIn("www.customer.example", self.same("domain", "list", LABEL).stdout)
        self.done("domain", "verify", LABEL, "www.customer.example")
        self.done("domain", "remove", LABEL, "www.customer.example")
        self.done("tenant", "pool", "put", LABEL, "web", "--origin", "203.0.113.1", "--answers", "shop")
        self.assertIn("203.0.113.1", self.same("tenant", "pool", "list", LABEL).stdout)
        self.done("tenant", "pool", "delete", LABEL, "web")
        self.same("tenant", "registration", "list", LABEL)
        certificate_stack.sign(self.folder, "brought", f"DNS:{LABEL}.stream.example,DNS:*.{LABEL}.stream.example")
        chain = self.folder.write("chain.pem", self.folder.log("brought.pem") + self.folder.log("ca.pem"))
        name = LABEL + ".stream.example"
        self.done("cert", "upload", LABEL, name, "--chain", chain, "--key", self.folder.path("brought.key"))
        listed = self.same("cert", "list", "--tenant", LABEL, "--json").stdout
        self.assertEqual([one["name"] for one in json.loads(listed)["certificates"]], [name])
        self.done("cert", "remove", LABEL, name)
        made = json.loads(self.done("token", "create", "--tenant", LABEL, "--action", "read", "--json"))
        self.assertIn(made["id"], self.same("token", "list", "--tenant", LABEL).stdout)
        self.done("token", "revoke", made["id"], "--tenant", LABEL)
        self.assertIn("/v1/sign-up", self.same("audit", "--tenant", LABEL).stdout)
        self.assertEqual(self.done("tenant", "set-clusters", LABEL, "--primary", "ams"), name + ".\n")

    def test_refusals_read_as_over_the_socket(self):
        for words, code in ((("record", "set", LABEL, "mail", "A", "nonsense"), 2),
                            (("record", "delete", LABEL, "none", "A"), 1),
                            (("domain", "claim", LABEL, "a..b"), 2),
                            (("tenant", "status", "nobody-tv"), 1)):
            refused = self.same(*words)
            self.assertEqual(refused.returncode, code, refused.stderr)
            self.assertTrue(refused.stderr.startswith("navigator: "), refused.stderr)
        # What administrators alone may do.
        self.assertEqual(self.far("tenant", "list").returncode, 1)
        self.assertEqual(self.far("tenant", "delete", LABEL).returncode, 1)

    def test_a_token_is_kept_and_shown_carefully(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.token).st_mode), 0o600)
        readable = self.folder.write("readable", self.folder.log("token"))
        os.chmod(readable, 0o644)
        refused = self.far("tenant", "status", LABEL, token=readable)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("chmod 600", refused.stderr)
        os.chmod(readable, 0o600)
        with open(readable, "w", encoding="utf-8") as file:
            file.write("nav_guessed\n")
        refused = self.far("tenant", "status", LABEL, token=readable)
        self.assertEqual((refused.returncode, "unknown, expired or revoked" in refused.stderr), (1, True))
        # Another CA's server gets no token.
        other = daemons.Folder(prefix="navigator-tenant-cli-ca-")
        self.addCleanup(other.remove)
        certificate_stack.make_tls(other)
        refused = self.far("tenant", "status", LABEL, ca=other.path("ca.pem"))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("certificate", refused.stderr)
        refused = self.far("tenant", "status", LABEL, server="http://navigator.example.org")
        self.assertEqual((refused.returncode, "https" in refused.stderr), (2, True))
        refused = self.far("tenant", "status", LABEL, server=f"https://localhost:{daemons.free_port()}")
        self.assertEqual(refused.returncode, 1, refused.stderr)

    def test_the_environment_stands_in(self):
        environment = {**os.environ, "NAVIGATOR_SERVER": f"https://localhost:{self.port}",
                       "NAVIGATOR_TOKEN_FILE": self.token}
        ran = daemons.run(navigator_daemon.NAVIGATOR, "tenant", "status", LABEL, "--ca", self.folder.path("ca.pem"),
                          env=environment)
        self.assertIn(LABEL, ran.stdout)

    def test_a_sign_up_whose_answer_was_lost_is_repeated(self):
        path = self.folder.path("again")

        def lose_the_answer():
            with open(path, "w", encoding="utf-8") as file:
                file.write("sign-up 0123456789abcdef0123456789abcdef\n")
            os.chmod(path, 0o600)

        lose_the_answer()
        words = ("sign-up", "new-tv", "--invitation-file", self.invitation)
        self.assertEqual(self.far(*words, token=path).returncode, 0)
        first = self.folder.log("again")
        self.assertEqual(self.far("tenant", "status", "new-tv", token=path).returncode, 0)
        refused = self.far(*words, token=path)
        self.assertEqual((refused.returncode, "is there already" in refused.stderr), (2, True))
        self.assertEqual(self.folder.log("again"), first)
        lose_the_answer()
        printed = self.far(*words, "--json", token=path)
        self.assertEqual(printed.returncode, 0, printed.stderr)
        second = self.folder.log("again")
        self.assertNotEqual(second, first)
        self.assertNotIn(second.strip(), printed.stdout)
        self.assertEqual(self.far("tenant", "status", "new-tv", token=path).returncode, 0)

    def test_the_key_stays_while_its_sign_up_may_have_been_done(self):
        path = self.folder.path("unsettled")
        kept = "sign-up 0123456789abcdef0123456789abcdee\n"
        with open(path, "w", encoding="utf-8") as file:
            file.write(kept)
        os.chmod(path, 0o600)
        words = ("sign-up", LABEL, "--invitation-file", self.invitation)
        for server in (f"https://localhost:{daemons.free_port()}", None):  # nobody; the label is taken, perhaps by it
            refused = self.far(*words, token=path, server=server)
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertIn("run the same command again", refused.stderr)
            self.assertEqual(self.folder.log("unsettled"), kept)

    def test_a_refused_sign_up_leaves_no_file(self):
        path = self.folder.path("refused")
        for label, invitation, code in (("admin", self.invitation, 2), ("fine-tv", "/dev/null", 2),
                                        (LABEL, self.invitation, 1)):
            refused = self.far("sign-up", label, "--invitation-file", invitation, token=path)
            self.assertEqual(refused.returncode, code, refused.stderr)
            self.assertFalse(os.path.exists(path), label)
        nobody = self.far("sign-up", "fine-tv", token=path, server=f"https://localhost:{daemons.free_port()}")
        self.assertEqual((nobody.returncode, os.path.exists(path)), (1, False))

    def test_over_the_socket_too(self):
        path = self.folder.path("local")
        self.navigator.command("sign-up", "near-tv", "--invitation-file", self.invitation, "--token-file", path)
        self.assertEqual(self.far("tenant", "status", "near-tv", token=path).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
