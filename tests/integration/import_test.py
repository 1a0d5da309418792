#!/usr/bin/env python3
"""Zones on their way into Navigator: from PowerDNS's databases, by transfer, from master files; diff and check.

Needs beside what stack.py needs: pdns-backend-sqlite3; pdns-backend-pgsql and postgresql for the one test of gpgsql.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import daemons
import powerdns_server
import stack

PLAIN = """\
$ORIGIN plain.test.
@ 3600 IN SOA ns1 hostmaster 42 10800 3600 604800 300
@ 3600 IN NS ns1
@ 3600 IN MX 10 mail
ns1 60 IN A 192.0.2.1
mail 60 IN AAAA 2001:db8::1
www 60 IN A 192.0.2.2
www 60 IN A 192.0.2.3
txt 60 IN TXT "one; \\"two\\"" "three"
_sip._tcp 60 IN SRV 0 5 5060 www
*.wild 60 IN A 192.0.2.4
deep.ent 60 IN A 192.0.2.5
child 60 IN NS ns.child
ns.child 60 IN A 192.0.2.6
"""
SIGNED = PLAIN.replace("plain.test", "signed.test").replace(" 42 ", " 7 ")

QUESTIONS = [("@", "SOA"), ("@", "NS"), ("@", "MX"), ("@", "DNSKEY"), ("www", "A"), ("txt", "TXT"), ("_sip._tcp", "SRV"),
             ("anything.wild", "A"), ("ent", "A"), ("nothing", "A"), ("mail", "A"), ("host.child", "A"), ("child", "DS")]


def lines(text):
    """Sorted records of dig's answer without what moves: signatures and their times."""
    kept = [" ".join(line.split()) for line in text.splitlines() if line and not line.startswith(";")]
    return sorted(line.lower() for line in kept if " RRSIG " not in line)


class ImportCase(stack.StackCase):
    def setUp(self):
        super().setUp()
        self.files = self.stack.files
        self.database = self.files.path("source.db")
        self.rows = powerdns_server.create_database(self.database)
        self.addCleanup(self.rows.close)
        self.source = powerdns_server.PowerDns(self.files, "source", powerdns_server.gsqlite3(self.database),
                                               {**powerdns_server.CACHES_OFF, "allow-axfr-ips": "127.0.0.1"})
        self.addCleanup(self.source.stop)

    def load(self, server=None):
        """Several zones in the source: unsigned, NSEC, NSEC3, a secondary; metadata, keys, an autoprimary."""
        server = server or self.source
        util = server.pdnsutil
        for name, text in (("plain.test", PLAIN), ("signed.test", SIGNED),
                           ("three.test", SIGNED.replace("signed.test", "three.test"))):
            util("load-zone", name, self.files.write(name, text))
        util("secure-zone", "signed.test")
        util("secure-zone", "three.test")
        util("set-nsec3", "three.test", "1 0 2 ab")
        util("rectify-all-zones")
        util("create-secondary-zone", "away.test", "192.0.2.53", "[2001:db8::53]:5300")
        util("set-kind", "plain.test", "master")
        util("set-account", "plain.test", "customer-7")
        util("set-meta", "plain.test", "ALSO-NOTIFY", "192.0.2.9", "192.0.2.10:5300")
        util("set-meta", "signed.test", "SOA-EDIT-API", "DEFAULT")
        util("generate-tsig-key", "transfer", "hmac-sha256")
        util("set-meta", "plain.test", "TSIG-ALLOW-AXFR", "transfer")
        util("add-autoprimary", "192.0.2.77", "ns.primary.test", "acc")

    def dig(self, port, name, rtype, zone):
        full = zone if name == "@" else f"{name}.{zone}"
        return lines(daemons.run("dig", "@127.0.0.1", "-p", str(port), "+dnssec", "+norecurse", "+noall", "+answer",
                                 "+authority", full, rtype).stdout)

    def all_answers(self, port):
        return {(zone, name, rtype): self.dig(port, name, rtype, zone)
                for zone in ("plain.test", "signed.test", "three.test") for name, rtype in QUESTIONS}

    def run_import(self, *arguments, code=0):
        done = self.stack.command("zone", "import", *arguments, check=False, timeout=300)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout, done.stderr


class FromDatabase(ImportCase):
    def check_imported(self, source):
        before = self.all_answers(source.port)
        self.stack.start_pdns()
        self.assertEqual(self.all_answers(self.stack.port), before)
        for zone in ("signed.test", "three.test"):
            self.assertTrue(self.stack.short(zone, "DNSKEY"))
        status, text = self.stack.call("GET", "/v1/zones/plain.test")
        about = json.loads(text)
        self.assertEqual((about["kind"], about["account"], about["serial"]), ("master", "customer-7", 42))
        self.assertEqual(about["metadata"]["ALSO-NOTIFY"], ["192.0.2.9", "192.0.2.10:5300"])
        status, text = self.stack.call("GET", "/v1/zones/away.test")
        self.assertEqual(status, 200)
        self.assertEqual((json.loads(text)["kind"], json.loads(text)["masters"]),
                         ("slave", ["192.0.2.53", "[2001:db8::53]:5300"]))
        keys = source.pdnsutil("list-tsig-keys").stdout.split()
        self.assertEqual(self.stack.command("tsig", "show", "transfer").stdout.strip(), keys[2])

    def test_pdns_answers_the_same_before_and_after(self):
        self.load()
        self.source.start()
        dry, _ = self.run_import("--from-powerdns", self.database, "--dry-run")
        self.assertIn("4 zones: 4 to import", dry)
        self.assertEqual(json.loads(self.stack.command("zone", "list", "--json").stdout)["zones"], [], "a dry run writes nothing")
        out, _ = self.run_import("--from-powerdns", self.database)  # straight into the store: no daemon runs
        self.assertIn("4 zones: 4 imported, 0 unchanged, 0 not imported", out)
        self.stack.start_navigator()
        self.check_imported(self.source)
        out, _ = self.run_import("--from-powerdns", self.database)  # through the daemon
        self.assertIn("4 zones: 0 imported, 4 unchanged, 0 not imported", out)
        ids = {row[0] for row in self.rows.execute("SELECT id FROM cryptokeys")}
        listed = json.loads(self.stack.call("GET", "/api/v1/servers/localhost/zones/signed.test./cryptokeys")[1])
        self.assertLessEqual({key["id"] for key in listed}, ids, "keys keep their ids")
        status, text = self.stack.call("GET", "/api/v1/servers/localhost/autoprimaries")
        self.assertEqual(json.loads(text), [{"account": "acc", "ip": "192.0.2.77", "nameserver": "ns.primary.test."}])

    def test_check_finds_what_was_planted(self):
        self.load()
        self.source.start()
        with open(self.stack.config, encoding="utf-8") as file:
            text = file.read()
        with open(self.stack.config, "w", encoding="utf-8") as file:
            file.write(text.replace("powerdns: {", f"powerdns: {{ port: {self.source.port}, "))
        self.run_import("--from-powerdns", self.database, "--zone", "plain.test", "--zone", "three.test")
        self.stack.start_navigator()
        same = self.stack.command("check")
        self.assertIn("plain.test.: ", same.stdout)
        self.assertIn(" 0 differ", same.stdout)
        self.assertNotIn("beyond the store was not looked for", same.stdout)
        self.rows.execute("UPDATE records SET content = '192.0.2.66' WHERE content = '192.0.2.3' AND name = 'www.plain.test'")
        self.rows.execute("DELETE FROM records WHERE name = 'txt.plain.test'")
        zone_id = self.rows.execute("SELECT id FROM domains WHERE name = 'plain.test'").fetchone()[0]
        self.rows.execute("INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) "
                          "VALUES (?, 'extra.plain.test', 'A', '192.0.2.99', 60, 0, 1)", (zone_id,))
        found = self.stack.command("check", "plain.test", "--json", check=False)
        self.assertEqual(found.returncode, 1, found.stdout + found.stderr)
        mismatches = {(one["name"], one["type"]): (one["store"], one["powerdns"])
                      for one in json.loads(found.stdout)[0]["mismatches"]}
        self.assertEqual(mismatches["www.plain.test.", "A"], ("60 192.0.2.2; 192.0.2.3", "60 192.0.2.2; 192.0.2.66"))
        self.assertEqual(mismatches["txt.plain.test.", "TXT"][1], "NXDOMAIN")
        self.assertEqual(mismatches["extra.plain.test.", "A"], ("nothing", "60 192.0.2.99"))
        self.assertEqual(len(mismatches), 3)
        self.assertEqual(self.stack.command("check", "three.test").returncode, 0)
        self.source.stop()
        self.assertEqual(self.stack.command("check", check=False).returncode, 2, "a server that is silent is trouble")

    def test_what_is_refused_is_named_and_stops_its_zone_only(self):
        self.load()
        zone_id = self.rows.execute("SELECT id FROM domains WHERE name = 'plain.test'").fetchone()[0]
        for name, rtype, content, disabled in (("bad.plain.test", "A", "1.2.3", 0), ("other.example", "A", "192.0.2.1", 0),
                                               ("off.plain.test", "A", "192.0.2.1", 1)):
            self.rows.execute("INSERT INTO records (domain_id, name, type, content, ttl, prio, disabled, auth) "
                              "VALUES (?, ?, ?, ?, 60, 0, ?, 1)", (zone_id, name, rtype, content, disabled))
        out, complaints = self.run_import("--from-powerdns", self.database, code=1)
        self.assertIn("4 zones: 3 imported, 0 unchanged, 1 not imported", out)
        self.assertIn("plain.test: bad.plain.test A '1.2.3': ", complaints)
        self.assertIn("plain.test: other.example A '192.0.2.1': the name lies outside the zone", complaints)
        self.assertIn("1 disabled records", complaints)
        self.assertEqual(self.stack.command("zone", "export", "plain.test", check=False).returncode, 1)
        out, _ = self.run_import("--from-powerdns", self.database, "--skip-refused", "--zone", "plain.test")
        self.assertIn("1 imported", out)
        exported = self.stack.command("zone", "export", "plain.test").stdout
        self.assertIn("www.plain.test.", exported)
        self.assertNotIn("off.plain.test.", exported)
        self.assertNotIn("bad.plain.test.", exported)

    def test_a_source_that_is_none(self):
        self.run_import("--from-powerdns", self.files.path("nothing.db"), code=1)
        self.run_import("--from-powerdns", self.files.write("text.db", "this is no database " * 100), code=1)
        self.run_import("--from-powerdns", "axfr://nowhere", code=2)
        self.run_import("plain.test", code=2)


@unittest.skipUnless(shutil.which("runuser") and os.geteuid() == 0, "PostgreSQL does not run as root")
class FromPostgres(FromDatabase):
    """The same out of gpgsql."""

    test_check_finds_what_was_planted = None
    test_what_is_refused_is_named_and_stops_its_zone_only = None
    test_a_source_that_is_none = None

    def start_postgres(self):
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        if not binaries:
            self.skipTest("no PostgreSQL is installed")
        home = daemons.Folder(prefix="navigator-pg-")
        self.addCleanup(home.remove)
        shutil.chown(home.folder, "postgres")
        cluster = home.path("data")
        as_user = ["runuser", "-u", "postgres", "--"]
        daemons.run(*as_user, str(binaries[-1] / "initdb"), "-D", cluster, "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        server = subprocess.Popen([*as_user, str(binaries[-1] / "postgres"), "-D", cluster, "-k", home.folder, "-c",
                                   "listen_addresses=", "-c", "fsync=off"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

        def stop():
            # runuser does not pass signals on; the postmaster says its pid in its own file.
            with open(os.path.join(cluster, "postmaster.pid"), encoding="ascii") as file:
                os.kill(int(file.readline()), signal.SIGINT)
            server.wait(timeout=daemons.DEADLINE)

        self.addCleanup(stop)
        ready = [*as_user, "psql", "-h", home.folder, "-d", "postgres", "-c", "SELECT 1"]
        daemons.wait_for("PostgreSQL answers", lambda: daemons.run(*ready, check=False).returncode == 0)
        schema = next(pathlib.Path("/usr/share/pdns-backend-pgsql/schema").glob("schema.pgsql.sql"))
        daemons.run(*as_user, "psql", "-h", home.folder, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-f", str(schema))
        return home.folder

    def test_pdns_answers_the_same_before_and_after(self):
        host = self.start_postgres()
        source = powerdns_server.PowerDns(self.files, "pgsource", {
            "launch": "gpgsql", "gpgsql-host": host, "gpgsql-user": "postgres", "gpgsql-dbname": "postgres",
            "gpgsql-dnssec": "yes"}, {**powerdns_server.CACHES_OFF})
        self.addCleanup(source.stop)
        self.load(source)
        source.start()
        conninfo = f"host={host} user=postgres dbname=postgres"
        out, _ = self.run_import("--from-powerdns", conninfo)
        self.assertIn("4 zones: 4 imported, 0 unchanged, 0 not imported", out)
        self.stack.start_navigator()
        self.check_imported(source)


class ByTransfer(ImportCase):
    def test_a_zone_comes_by_axfr_with_and_without_tsig(self):
        self.load()
        self.source.start()
        self.stack.start_navigator()
        url = f"axfr://127.0.0.1:{self.source.port}"
        # Its keys stay behind: taken without a word it would be bogus for as long as the parent has its DS.
        _, complaints = self.run_import("--from-powerdns", f"{url}/three.test", code=1)
        self.assertIn("the zone is signed there", complaints)
        self.run_import("--from-powerdns", f"{url}/three.test", "--skip-refused")
        self.stack.start_pdns()
        wanted = {record for record in stack.records(daemons.run(
            "dig", "@127.0.0.1", "-p", str(self.source.port), "+noall", "+answer", "+onesoa", "three.test", "AXFR").stdout)
            if record[2] not in ("RRSIG", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY")}
        self.assertEqual(stack.records(self.stack.axfr("three.test")), wanted)
        out, _ = self.run_import("--from-powerdns", f"{url}/three.test", "--skip-refused")
        self.assertIn("nothing changed", out)

        secret = self.source.pdnsutil("list-tsig-keys").stdout.split()[2]
        self.source.stop()
        with open(os.path.join(self.source.config_dir, "pdns.conf"), "a", encoding="utf-8") as file:
            file.write("allow-axfr-ips=\n")
        self.source.start()
        # Of many messages, each of which carries a signature that continues the one before.
        many = PLAIN + "".join(f"many{number}.plain.test. 300 IN TXT \"{'x' * 200}\"\n" for number in range(2000))
        self.source.pdnsutil("load-zone", "plain.test", self.files.write("many", many))
        _, complaints = self.run_import("--from-powerdns", f"{url}/plain.test", code=1)
        self.assertRegex(complaints, "REFUSED|NOTAUTH|closed the connection")
        self.stack.command("tsig", "create", "transfer", "--algorithm", "hmac-sha256", "--secret", secret)
        self.run_import("--from-powerdns", f"{url}/plain.test", "--tsig", "transfer")
        signed = daemons.run("dig", "@127.0.0.1", "-p", str(self.source.port), "-y", f"hmac-sha256:transfer:{secret}",
                             "+noall", "+answer", "+onesoa", "plain.test", "AXFR").stdout
        exported = self.stack.command("zone", "export", "plain.test").stdout.split("\n", 1)[1]
        self.assertEqual(stack.records(exported), {one for one in stack.records(signed) if one[2] != "TSIG"})
        self.stack.command("tsig", "delete", "transfer")
        self.stack.command("tsig", "create", "transfer", "--algorithm", "hmac-sha256")  # another secret
        _, complaints = self.run_import("--from-powerdns", f"{url}/plain.test", "--tsig", "transfer", code=1)
        self.assertRegex(complaints, "NOTAUTH|not signed")


class MasterFiles(ImportCase):
    def test_a_good_file_is_idempotent(self):
        path = self.files.write("plain.zone", PLAIN)
        for daemon in (False, True):
            with self.subTest(daemon=daemon):
                if daemon:
                    self.stack.start_navigator()
                out, _ = self.run_import("plain.test", path)
                self.assertIn("nothing changed" if daemon else "created, serial 42", out)
                out, _ = self.run_import("plain.test", path)
                self.assertIn("nothing changed", out)
        self.files.write("plain.zone", PLAIN + "new 60 IN A 192.0.2.9\n")
        out, _ = self.run_import("plain.test", path)
        self.assertIn("changed, serial 43", out)

    def test_every_problem_of_a_broken_file_is_told_with_its_place(self):
        self.files.write("part.zone", "ok A 192.0.2.1\nnot-ok A 192.0.2\n")
        path = self.files.write("broken.zone", "$TTL 60\n@ IN SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
                                               "a A 1.2.3\nb NONSENSE x\n$INCLUDE part.zone sub\n$INCLUDE missing.zone\n"
                                               "c CNAME d\nc A 192.0.2.1\nd.example. A 192.0.2.1\n"
                                               "$GENERATE 1-3 h$ A 192.0.2.$\n")
        _, complaints = self.run_import("broken.test", path, code=2)
        for place in (f"{path}:5: ", f"{path}:6: ", f"{self.files.path('part.zone')}:2: ", f"{path}:8: ", f"{path}:9: ",
                      f"{path}:11: "):
            self.assertIn(place, complaints)
        self.assertNotIn(f"{path}:12: ", complaints)
        self.assertEqual(self.stack.command("zone", "export", "broken.test", check=False).returncode, 1, "nothing was imported")

    def test_includes_and_generated_records_are_imported(self):
        os.mkdir(self.files.path("parts"))
        self.files.write("parts/hosts.zone", "$INCLUDE more.zone\nhost A 192.0.2.10\n")
        self.files.write("parts/more.zone", "more A 192.0.2.11\n")
        path = self.files.write("plain.zone", PLAIN + "$INCLUDE parts/hosts.zone sub\n$GENERATE 1-3 gen${0,2} A 192.0.2.10$\n")
        self.stack.start_navigator()
        self.run_import("plain.test", path)
        self.stack.start_pdns()
        self.assertEqual(self.stack.short("host.sub.plain.test"), ["192.0.2.10"])
        self.assertEqual(self.stack.short("more.sub.plain.test"), ["192.0.2.11"])
        self.assertEqual(self.stack.short("gen03.plain.test"), ["192.0.2.103"])
        status, answer = self.stack.call("PUT", "/v1/zones/plain.test/import", PLAIN + "$INCLUDE /etc/passwd\n")
        self.assertEqual(status, 422, "the API reads no files")
        self.assertIn("$INCLUDE is not supported here", answer)

    def test_diff_tells_what_a_file_would_change(self):
        path = self.files.write("plain.zone", PLAIN)
        self.run_import("plain.test", path)
        for daemon in (False, True):
            if daemon:
                self.stack.start_navigator()
            same = self.stack.command("zone", "diff", "plain.test", path)
            self.assertEqual((same.returncode, same.stdout), (0, ""))
        changed = self.files.write("changed.zone", PLAIN.replace("192.0.2.2", "192.0.2.22").replace(" 42 ", " 50 "))
        found = self.stack.command("zone", "diff", "plain.test", changed, check=False)
        self.assertEqual(found.returncode, 1)
        self.assertEqual(found.stdout.splitlines()[:2], ["- www.plain.test. 60 IN A 192.0.2.2", "+ www.plain.test. 60 IN A 192.0.2.22"])
        as_json = json.loads(self.stack.command("zone", "diff", "plain.test", changed, "--json", check=False).stdout)
        self.assertEqual([one["name"] for one in as_json["changes"]], ["www.plain.test."])
        self.assertEqual(self.stack.command("zone", "diff", "plain.test", self.files.path("none"), check=False).returncode, 2)
        self.assertEqual(self.stack.command("zone", "diff", "nope.test", path, check=False).returncode, 2)

    def test_zones_are_made_and_set_from_the_command_line(self):
        for daemon in (False, True):
            with self.subTest(daemon=daemon):
                if daemon:
                    self.stack.start_navigator()
                name = f"made{int(daemon)}.test"
                self.stack.command("zone", "create", name, "--ns", f"ns1.{name}", "--account", "me")
                self.assertEqual(self.stack.command("zone", "create", name, "--ns", "x.", check=False).returncode, 1)
                self.stack.command("zone", "set-kind", name, "slave")
                self.stack.command("zone", "set-masters", name, "192.0.2.1", "[2001:db8::1]:5300")
                self.assertEqual(self.stack.command("zone", "set-masters", name, "x", check=False).returncode, 2)
                self.stack.command("metadata", "set", name, "ALSO-NOTIFY", "192.0.2.3")
                self.assertEqual(self.stack.command("metadata", "get", name).stdout, "ALSO-NOTIFY 192.0.2.3\n")
                self.stack.command("metadata", "set", name, "ALSO-NOTIFY")
                self.assertEqual(self.stack.command("metadata", "get", name).stdout, "")
                self.stack.command("tsig", "create", f"key{int(daemon)}")
                self.assertIn(f"key{int(daemon)}", self.stack.command("tsig", "list").stdout)
                self.stack.command("tsig", "delete", f"key{int(daemon)}")
                self.assertEqual(self.stack.command("tsig", "list").stdout.strip(), "KEY  ALGORITHM")
        about = json.loads(self.stack.call("GET", "/v1/zones/made0.test")[1])
        self.assertEqual((about["kind"], about["masters"], about["account"]),
                         ("slave", ["192.0.2.1", "[2001:db8::1]:5300"], "me"))
        self.stack.command("zone", "delete", "made0.test")
        self.assertEqual(self.stack.call("GET", "/v1/zones/made0.test")[0], 404)

    def test_a_large_zone_says_how_it_fares(self):
        many = 60_000
        path = self.files.write("plain.zone", PLAIN + "".join(
            f"$GENERATE {first}-{first + 29999} n$ A 192.0.2.1\n" for first in range(0, many, 30000)))
        self.stack.start_navigator()
        out, _ = self.run_import("plain.test", path)
        self.assertIn(f"{many + 13} names", out)
        out, _ = self.run_import("plain.test", path)
        self.assertIn("nothing changed", out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
