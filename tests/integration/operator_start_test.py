#!/usr/bin/env python3
"""What README.md tells a PowerDNS operator, word by word: its navigator.yaml, its commands and its lines of pdns.conf,
beside the pdns.conf that Debian installs, with pdns_server as the user its package makes.

Only the folders are others: /var/lib, /run and /etc lie in a temporary one, in which nothing is made beforehand. Needs
root, since a daemon has to give a socket to another user's group.
"""
import contextlib
import grp
import json
import os
import pwd
import shlex
import shutil
import sqlite3
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
from navigator_daemon import NAVIGATOR  # noqa: E402

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "README.md")
ZONE = """\
$TTL 300
@ SOA ns1 hostmaster 1 7200 1800 604800 300
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.10
"""


def blocks(heading):
    """The fenced texts below a heading of README.md, in order."""
    with open(README, encoding="utf-8") as file:
        section = file.read().split("\n## " + heading + "\n", 1)[1].split("\n## ", 1)[0]
    return [block.split("\n", 1)[1] for block in section.split("```")[1::2]]


@unittest.skipUnless(os.geteuid() == 0, "gives a socket to another group")
class OperatorStart(unittest.TestCase):
    def setUp(self):
        self.files = daemons.Folder(prefix="operator-")
        self.addCleanup(self.files.remove)
        os.chmod(self.files.folder, 0o755)
        for name in ("etc", "run", "lib"):
            os.mkdir(self.files.path(name))
        self.user = pwd.getpwnam("pdns")
        pdns_run = self.files.path("run/pdns")
        os.mkdir(pdns_run)
        os.chown(pdns_run, self.user.pw_uid, self.user.pw_gid)
        self.port = daemons.free_port()
        self.running = []
        self.addCleanup(self.stop)

    def stop(self):
        for daemon in reversed(self.running):
            daemon.stop()

    def here(self, text):
        for there, inside in (("/var/lib/navigator", "lib/navigator"), ("/run/", "run/"), ("/etc/navigator", "etc")):
            text = text.replace(there, self.files.path(inside))
        return text

    def start(self, name, *argv, **options):
        daemon = daemons.Daemon(list(argv), self.files.path(name + ".log"), **options)
        self.running.append(daemon)
        return daemon

    def dig(self, name):
        return subprocess.run(
            ["dig", "@127.0.0.1", "-p", str(self.port), "+short", "+time=2", "+tries=1", name, "A"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()

    def start_pdns(self, lines):
        """The operator's own file with the README's lines below, as the package starts it."""
        folder = self.files.path("etc/powerdns")
        os.mkdir(folder)
        os.mkdir(os.path.join(folder, "pdns.d"))
        existing = "include-dir=/etc/powerdns/pdns.d\nlaunch=\nsecurity-poll-suffix=\n"
        if os.path.exists("/etc/powerdns/pdns.conf"):
            with open("/etc/powerdns/pdns.conf", encoding="utf-8") as file:
                existing = file.read()
        existing = existing.replace("/etc/powerdns", folder)
        with open(os.path.join(folder, "pdns.conf"), "w", encoding="utf-8") as file:
            file.write(existing + "\n" + lines)
        return self.start(
            "pdns",
            "pdns_server",
            "--config-dir=" + folder,
            "--local-address=127.0.0.1",
            f"--local-port={self.port}",
            "--socket-dir=" + self.files.path("run/pdns"),
            "--setuid=pdns",
            "--setgid=pdns",
            "--guardian=no",
            "--daemon=no",
            "--disable-syslog",
            "--write-pid=no",
        )

    def follow_the_readme(self, program=NAVIGATOR, **who):
        """From its text to an answer and a purge; the program runs as `who`."""
        settings, commands, lines = (self.here(block) for block in blocks("A PowerDNS operator's start")[:3])
        self.files.write("etc/navigator.yaml", settings)
        self.files.write("example.org.zone", ZONE)
        for line in filter(None, commands.split("\n")):
            words = shlex.split(line, comments=True)
            self.assertEqual(words[0], "navigator")
            words[0] = program
            if words[-1] == "&":
                navigator = self.start("navigator", *words[:-1], **who)
            else:
                subprocess.run(words, cwd=self.files.folder, check=True, capture_output=True, **who)
        remote, api = self.files.path("run/navigator/remote.sock"), self.files.path("run/navigator/api.sock")

        def healthy():
            navigator.check()
            with contextlib.closing(daemons.UnixConnection(api)) as connection:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200

        daemons.wait_for("navigator is healthy", healthy)
        socket = os.stat(remote)
        self.assertEqual((stat.S_IMODE(socket.st_mode), socket.st_gid), (0o660, grp.getgrnam("pdns").gr_gid))
        self.assertEqual(stat.S_IMODE(os.stat(api).st_mode) & 0o007, 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.files.path("lib/navigator")).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(self.files.path("lib/navigator/navigator.db")).st_mode), 0o600)
        server = self.start_pdns(lines)
        daemons.wait_for("pdns_server answers", lambda: server.check() or self.dig("www.example.org") == "192.0.2.10")
        with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
            self.assertIn(f"\nUid:\t{self.user.pw_uid}\t{self.user.pw_uid}\t", status.read())
        changed = {"name": "www.example.org.", "type": "A", "ttl": 300, "contents": ["192.0.2.11"]}
        body = json.dumps({"rrsets": [changed]})
        with contextlib.closing(daemons.UnixConnection(api)) as connection:
            connection.request("PUT", "/v1/zones/example.org/rrsets", body)
            self.assertEqual(connection.getresponse().status, 200)
        # PowerDNS had cached the old one for 20 s.
        daemons.wait_for("the purge", lambda: self.dig("www.example.org") == "192.0.2.11", deadline=5)

    def test_as_root_from_nothing(self):
        self.follow_the_readme()

    def test_as_the_unit_runs_it(self):
        """A user of its own, in PowerDNS's group beside its own; the unit made its folders."""
        other = pwd.getpwnam("nobody")
        for name, mode in (("lib/navigator", 0o700), ("run/navigator", 0o755)):
            os.mkdir(self.files.path(name))
            os.chmod(self.files.path(name), mode)
            os.chown(self.files.path(name), other.pw_uid, other.pw_gid)
        program = shutil.copy(NAVIGATOR, self.files.path("navigator"))
        groups = [grp.getgrnam("pdns").gr_gid]
        self.follow_the_readme(program, user=other.pw_uid, group=other.pw_gid, extra_groups=groups)
        self.assertEqual(os.stat(self.files.path("run/navigator/api.sock")).st_gid, other.pw_gid)

    def command(self, settings, *words):
        config = self.files.write("etc/navigator.yaml", settings)
        done = daemons.run(NAVIGATOR, "--config", config, *words, check=False, timeout=20)
        return done.returncode, done.stderr

    def refused(self, settings):
        code, error = self.command(settings, "serve")
        self.assertNotEqual(code, 0)
        self.assertEqual(error.count("\n"), 1, error)
        return error

    def test_what_is_wrong_is_one_clear_sentence(self):
        def settings(store="lib/n.db", remote="run/r.sock", more="", create="true"):
            path = self.files.path
            return (
                f'store: {{ url: "sqlite://{path(store)}", create: {create} }}\n'
                f'remote: {{ unix: {path(remote)}{more} }}\n'
                f"api: {{ unix: {path('run/a.sock')} }}\n"
            )

        self.assertIn("folder " + self.files.path("lib/a/b"), self.refused(settings(store="lib/a/b/n.db")))
        self.assertIn("install -d -m 0700", self.refused(settings(store="lib/a/b/n.db")))
        self.assertIn("install -d -m 0755", self.refused(settings(remote="run/a/b/r.sock")))
        self.files.write("lib/file", "")
        self.assertIn("is no folder", self.refused(settings(store="lib/file/n.db")))
        self.assertIn("is its disk mounted?", self.refused(settings("lib/absent.db", create="false")))
        self.assertFalse(os.path.exists(self.files.path("lib/absent.db")))
        self.assertIn("there is no group 'nobodys'", self.refused(settings(more=", unix_group: nobodys")))
        code, error = self.command(settings(more=', unix_mode: "0666"'), "serve")
        self.assertEqual(code, 2)
        self.assertIn("lets every user of this machine change zones", error)

    def test_a_store_of_a_newer_version_is_refused_and_left_alone(self):
        path = self.files.path
        settings = (f'store: {{ url: "sqlite://{path("lib/n.db")}" }}\nremote: {{ unix: {path("run/r.sock")} }}\n'
                    f"api: {{ unix: {path('run/a.sock')} }}\n")
        daemon = self.start("first", NAVIGATOR, "--config", self.files.write("etc/navigator.yaml", settings), "serve")
        daemons.wait_for("the store is made", lambda: daemon.check() or os.path.exists(path("run/a.sock")))
        daemon.stop()
        with contextlib.closing(sqlite3.connect(path("lib/n.db"), isolation_level=None)) as store:
            store.execute("UPDATE schema_version SET version = version + 1 WHERE module = 'store'")
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(path("lib/n.db"), "rb") as file:
            before = file.read()
        error = self.refused(settings)
        self.assertIn("use the newer program", error)
        self.assertIn(path("lib/n.db"), error)
        with open(path("lib/n.db"), "rb") as file:
            self.assertEqual(file.read(), before)

    def test_what_root_made_is_the_daemons_user_s(self):
        """An import as root into the folder that the unit made for the daemon's user keeps nobody out."""
        folder = self.files.path("lib/navigator")
        os.mkdir(folder, 0o700)
        os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        config = self.files.write(
            "etc/navigator.yaml",
            f'store: {{ url: "sqlite://{folder}/navigator.db" }}\napi: {{ unix: {self.files.path("run/a.sock")} }}\n',
        )
        zone = self.files.write("example.org.zone", ZONE)
        daemons.run(NAVIGATOR, "--config", config, "zone", "import", "example.org", zone)
        for name in os.listdir(folder):
            self.assertEqual(os.stat(os.path.join(folder, name)).st_uid, self.user.pw_uid, name)
        binary = shutil.copy(NAVIGATOR, self.files.path("navigator"))
        listed = subprocess.run(
            [binary, "--config", config, "zone", "list"],
            user=self.user.pw_uid,
            group=self.user.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((listed.returncode, listed.stderr), (0, ""))
        self.assertIn("example.org.", listed.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
