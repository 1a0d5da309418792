"""What tests/lab/systemd_test.py runs inside its virtual machine: Navigator and pdns_server as systemd's services, by
the units that are installed, restarted and upgraded under a load of which nothing may be lost.

The machine is emulated, and a restart takes seconds in it: PowerDNS waits longer for its backend, and keeps queries
longer in its queue, than it would elsewhere.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path[:0] = ["/sovereign/tests/integration", "/sovereign/tests/support"]
import daemons  # noqa: E402
import restart_test  # noqa: E402

RESTARTS = 6
RATE = 50
PATIENCE_S = 60
restart_test.LOST_AFTER = PATIENCE_S
CONNECTION = f"unix:path=/run/navigator/remote.sock,timeout={PATIENCE_S * 1000}"
SETTINGS = """\
store: { url: "sqlite:///var/lib/navigator/navigator.db" }
remote: { unix: /run/navigator/remote.sock }
api: { unix: /run/navigator/api.sock }
powerdns: { control: [/run/pdns/pdns.controlsocket] }
"""
CACHES = ("cache", "query-cache", "negquery-cache", "zone-metadata-cache", "dnssec-key-cache")


def run(*argv, check=True):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    if check and done.returncode != 0:
        journal = subprocess.run(["journalctl", "--no-pager", "-n", "40"], capture_output=True, text=True, check=False,
                                 timeout=300).stdout
        raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}{journal}")
    return done.stdout.strip()


def show(unit, what):
    return run("systemctl", "show", "--value", "-p", what, unit)


class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("systemd-sysusers")
        pathlib.Path("/etc/navigator").mkdir()
        pathlib.Path("/etc/navigator/navigator.yaml").write_text(SETTINGS, encoding="utf-8")
        shutil.chown("/etc/powerdns/pdns.conf", group="pdns")  # as the package does
        with open("/etc/powerdns/pdns.conf", "a", encoding="utf-8") as file:
            file.write(f"\nlaunch=remote\nremote-connection-string={CONNECTION}\nremote-dnssec=yes\n"
                       "local-address=127.0.0.1\ndistributor-threads=3\nsecurity-poll-suffix=\n"
                       f"queue-limit={PATIENCE_S * 1000}\n")
            file.writelines(f"{name}-ttl=0\n" for name in CACHES)
        records = "\n".join(f"host-{i}.example.test. 60 IN A 192.0.2.{i % 250 + 1}" for i in range(500))
        zone = pathlib.Path("/root/example.test.zone")
        zone.write_text(restart_test.ZONE + records + "\n", encoding="utf-8")
        run("systemctl", "start", "navigator")
        run("navigator", "--config", "/etc/navigator/navigator.yaml", "zone", "import", "example.test", str(zone))
        run("systemctl", "start", "pdns")

    def settle(self, load, answers=RATE):
        begin = sum(load.codes.values())
        daemons.wait_for("the load goes on", lambda: sum(load.codes.values()) - begin >= answers, PATIENCE_S)

    def test_1_the_units_are_as_systemd_likes_them(self):
        for unit in ("navigator.service", "privateer.service", "privateer-controller.service", "privateer-bird.service",
                     "privateer-bird.path"):
            path = f"/usr/lib/systemd/system/{unit}"
            said = run("systemd-analyze", "verify", "--man=no", path)
            self.assertEqual([line for line in said.splitlines() if path in line], [])

    def test_2_the_daemon_is_a_user_of_its_own_with_what_it_may_touch(self):
        pid = show("navigator", "MainPID")
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        user = run("id", "-u", "navigator")
        self.assertIn(f"Uid:\t{user}\t{user}\t{user}\t{user}\n", status)
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertEqual(run("stat", "-c", "%a %G", "/run/navigator/remote.sock"), "660 pdns")
        self.assertEqual(run("stat", "-c", "%a", "/var/lib/navigator/navigator.db"), "600")

    def test_3_restarts_and_an_upgrade_lose_no_query(self):
        load = restart_test.Load(53, RATE)
        self.addCleanup(load.stop)
        for at in range(RESTARTS):
            self.settle(load)
            before = show("navigator", "MainPID")
            if at == RESTARTS // 2:  # another file, as a package's upgrade leaves it
                shutil.copy("/usr/bin/navigator", "/usr/bin/navigator.new")
                os.rename("/usr/bin/navigator.new", "/usr/bin/navigator")
            run("systemctl", "restart", "navigator")
            self.assertNotEqual(show("navigator", "MainPID"), before)
            self.assertEqual(show("navigator", "NFileDescriptorStore"), "0", "what was taken over is kept no longer")
        self.settle(load)
        load.stop()
        print(f"  restarts {RESTARTS}: sent {load.sent} lost {load.lost} {load.codes}, slowest {load.slowest:.2f} s")
        self.assertEqual(load.lost, 0)
        self.assertEqual(sorted(load.codes), ["NOERROR", "NXDOMAIN"])
        self.assertEqual(show("pdns", "NRestarts"), "0")

    def test_4_stop_and_start_serve_again(self):
        """As an operator does who does not know `restart`: systemd drops what it kept, and PowerDNS connects anew."""
        run("systemctl", "stop", "navigator")
        self.assertEqual(show("navigator", "Result"), "success")
        run("systemctl", "start", "navigator")
        load = restart_test.Load(53, RATE)
        self.addCleanup(load.stop)
        daemons.wait_for("names are answered again", lambda: load.codes.get("NOERROR", 0) >= RATE, PATIENCE_S)

    def test_5_a_killed_daemon_is_started_again(self):
        before = show("navigator", "MainPID")
        run("kill", "-9", before)
        daemons.wait_for("another one runs", lambda: show("navigator", "ActiveState") == "active"
                         and show("navigator", "MainPID") not in ("0", before), PATIENCE_S)
        load = restart_test.Load(53, RATE)
        self.addCleanup(load.stop)
        daemons.wait_for("names are answered again", lambda: load.codes.get("NOERROR", 0) >= RATE, PATIENCE_S)


if __name__ == "__main__":
    unittest.main(verbosity=2)
