#!/usr/bin/env python3
"""Certificates end to end: navigator, a real pdns_server on its store, and pebble as the CA.

NAVIGATOR names the binary under test. Everything runs on loopback in a temporary folder and is stopped by its pid.
"""
import json
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class PebbleTest(unittest.TestCase):
    def setUp(self):
        self.stack = certificate_stack.CertificateStack()
        self.addCleanup(self.stack.close)
        self.stack.start()

    def command(self, *words):
        return self.stack.command(*words).stdout

    def create(self, label):
        self.command("tenant", "create", label, "--plan", "pro", "--primary", "ams")
        return self.certificate_of(label)

    def certificate_of(self, label):
        try:
            return daemons.wait_for(f"a certificate for {label}", lambda: self.stack.certificates_of(label))[-1]
        except AssertionError as error:
            logs = "\n".join(self.stack.files.log(name)[-4000:] for name in ("navigator.log", "pebble.log"))
            raise AssertionError(f"{error}\n{logs}") from error

    def restart(self):
        self.stack.navigator.stop()
        self.stack.navigator.start()

    def test_a_new_tenant_gets_apex_and_wildcard(self):
        certificate = self.create("acme-tv")
        self.assertEqual(sorted(certificate["names"]), ["*.acme-tv.stream.example", "acme-tv.stream.example"])
        self.assertGreater(certificate["not_after_ms"], time.time() * 1000)
        status, body = self.stack.navigator.call("GET", "/v1/tenants/acme-tv/certificates")
        self.assertEqual((status, [one["revoked"] for one in json.loads(body)["certificates"]]), (200, [False]), body)
        daemons.wait_for("the end of the TXT values",
                         lambda: not self.stack.txt("_acme-challenge.acme-tv.stream.example"))

    def test_no_file_holds_a_key_in_the_clear(self):
        """Database, its journal, and logs: keys as PEM or DER, and the master key itself."""
        self.create("acme-tv")
        with open(self.stack.files.path("master.key"), "rb") as stream:
            master = stream.read().strip()
        marks = [b"PRIVATE KEY", bytes.fromhex("30770201010420"), bytes.fromhex("308187020100301306072a8648ce3d0201"),
                 master, *([bytes.fromhex(master.decode())] if len(master) == 64 else [])]
        looked_at = set()
        for folder, _, names in os.walk(self.stack.files.folder):
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(".key") or not os.path.isfile(path):
                    continue
                looked_at.add(name)
                with open(path, "rb") as stream:
                    content = stream.read()
                for mark in marks:
                    self.assertNotIn(mark, content, path)
        self.assertLessEqual({"navigator.db", "navigator.db-wal", "navigator.log", "pdns.log"}, looked_at)

    def ends_in_a_core(self, process):
        """Whether a process that aborts without a limit on cores leaves one."""
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -signal.SIGABRT  # it was waited for here, because subprocess does not tell of cores
        self.assertTrue(os.WIFSIGNALED(status))
        return os.WCOREDUMP(status)

    def test_keys_change_while_everything_runs(self):
        first = self.create("acme-tv")
        before = json.loads(self.command("vault", "status", "--json"))
        self.assertEqual(before["data_keys"], 2, "the tenant's and the accounts'")
        self.assertEqual(json.loads(self.command("vault", "rotate", "--tenant", "acme-tv", "--json"))["sealed"], 1)
        self.command("vault", "rotate", "--accounts")
        self.assertIn(".former", self.command("vault", "rotate"))
        after = json.loads(self.command("vault", "status", "--json"))
        self.assertNotEqual(after["master"], before["master"])
        self.assertEqual(after["data_keys"], 2)
        self.assertEqual(os.stat(self.stack.files.path("master.key")).st_mode & 0o777, 0o600)
        # The account's key and the certificate's still open, before and after a restart: the next tenant needs the one,
        # a revocation the other.
        self.create("second")
        self.restart()
        self.command("cert", "revoke", "acme-tv", "--reason", "keyCompromise")
        daemons.wait_for("the replacement",
                         lambda: self.certificate_of("acme-tv")["fingerprint"] != first["fingerprint"])
        self.command("tenant", "delete", "second")
        daemons.wait_for("the end of the deleted tenant's data key",
                         lambda: json.loads(self.command("vault", "status", "--json"))["data_keys"] == 2)

    def test_a_crash_leaves_no_core(self):
        other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE,
                                 cwd=self.stack.files.folder)
        self.addCleanup(other.stdin.close)
        self.addCleanup(lambda: other.poll() is None and other.kill())
        if not self.ends_in_a_core(other):
            self.skipTest("this machine writes no cores at all")
        self.assertFalse(self.ends_in_a_core(self.stack.navigator.daemon.process))

    def test_a_ca_that_lost_its_memory_registers_the_account_again(self):
        self.create("one")
        self.stack.pebble.stop()
        self.stack.pebble.start()
        self.create("two")

    def test_a_restarted_navigator_orders_nothing_again(self):
        before = self.create("acme-tv")
        self.restart()
        # Another tenant's certificate shows that the issuer has been at work since.
        self.create("two")
        self.assertEqual(self.certificate_of("acme-tv")["fingerprint"], before["fingerprint"])

    def test_a_deleted_tenant_leaves_no_certificate(self):
        self.create("acme-tv")
        self.command("tenant", "delete", "acme-tv")
        daemons.wait_for("the removal of the certificate", lambda: not self.stack.certificates())


if __name__ == "__main__":
    unittest.main(verbosity=2)
