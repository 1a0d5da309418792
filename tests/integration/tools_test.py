#!/usr/bin/env python3
"""Operators' own tools, unchanged, against Navigator behind a real pdns_server: pdnsutil, PowerDNS's HTTP API,
nsupdate, dig.

Needs: the binary named by NAVIGATOR; pdns-server, pdns-backend-remote, pdns-tools, bind9-dnsutils, bind9-utils,
ldnsutils. After each change the answers of pdns_server, whose caches live an hour, must show it; of a signed zone
delv must validate. What the remote backend protocol has no words for must fail aloud and change nothing.
"""
import http.client
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
from daemons import run, wait_for  # noqa: E402
from stack import StackCase, records  # noqa: E402

APEX = "example.test"
ZONE = """\
example.test. 3600 IN SOA ns1.example.test. hostmaster.example.test. 100 10800 3600 604800 300
example.test. 3600 IN NS ns1.example.test.
ns1.example.test. 3600 IN A 192.0.2.1
www.example.test. 3600 IN A 192.0.2.10
deep.ent.example.test. 3600 IN A 192.0.2.30
*.wild.example.test. 3600 IN A 192.0.2.20
child.example.test. 3600 IN NS ns.child.example.test.
ns.child.example.test. 3600 IN A 192.0.2.40
"""
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


class Tools(StackCase):
    def setUp(self):
        super().setUp()
        stack = self.stack
        stack.write("zone", ZONE)
        stack.command("zone", "import", APEX, stack.path("zone"))
        stack.start_navigator()
        stack.start_pdns()
        # Whatever is asked for below has been answered, and so cached, before it changes.
        for name, rtype in (("www", "A"), ("new", "A"), ("www", "TXT"), ("ent", "A"), ("x.wild", "A")):
            stack.dig(f"{name}.{APEX}", rtype)

    def answers(self, name, expected, rtype="A", deadline=5):
        name = f"{name}.{APEX}" if name else APEX
        wait_for(f"{name} {rtype} is {expected}", lambda: self.stack.short(name, rtype) == expected, deadline)

    def status(self, name, rcode, rtype="A"):
        wait_for(f"{name} is {rcode}", lambda: f"status: {rcode}" in self.stack.dig(f"{name}.{APEX}", rtype), 5)

    def serial(self, zone=APEX):
        return int(self.stack.short(zone, "SOA")[0].split()[2])

    def refused(self, *arguments, stdin=None):
        """A pdnsutil command that must fail: with an error, and with the zone, its settings and the list of zones as
        before."""
        before = self.everything()
        done = self.stack.pdnsutil(*arguments, check=False, stdin=stdin)
        self.assertNotEqual(done.returncode, 0, f"{arguments} says it worked: {done.stdout}{done.stderr}")
        said = (done.stdout + done.stderr).strip()
        self.assertTrue(said, f"{arguments} fails silently")
        self.assertLessEqual(len(said.splitlines()), 3, said)
        self.assertEqual(self.everything(), before, f"{arguments} failed and changed something")
        self.assertTrue(self.stack.short(f"www.{APEX}"), "and all goes on")
        return said

    def everything(self):
        listed = json.loads(self.stack.call("GET", "/v1/zones")[1])
        one = json.loads(self.stack.call("GET", f"/v1/zones/{APEX}")[1])
        return listed, one, self.stack.call("GET", f"/v1/zones/{APEX}/export")[1]


class Records(Tools):
    def test_records_are_added_replaced_and_deleted(self):
        pdnsutil = self.stack.pdnsutil
        serial = self.serial()
        pdnsutil("add-record", APEX, "new", "A", "60", "192.0.2.50")
        self.answers("new", ["192.0.2.50"])
        wait_for("the serial moves", lambda: self.serial() > serial, 5)
        pdnsutil("add-record", APEX, "new", "A", "192.0.2.51", "192.0.2.52")
        self.answers("new", ["192.0.2.50", "192.0.2.51", "192.0.2.52"])
        pdnsutil("add-record", APEX, "@", "MX", "10 mail.example.test.")
        self.answers("", ["10 mail.example.test."], "MX")
        pdnsutil("add-record", APEX, "*.wild", "TXT", '"a wild text"')
        self.answers("y.wild", ['"a wild text"'], "TXT")
        pdnsutil("replace-rrset", APEX, "www", "A", "120", "192.0.2.90", "192.0.2.91")
        self.answers("www", ["192.0.2.90", "192.0.2.91"])
        self.assertRegex(self.stack.dig(f"www.{APEX}"), r"www\.example\.test\.\s+1\d\d\s")
        pdnsutil("replace-rrset", APEX, "a.b.c", "TXT", '"made by replace"')
        self.answers("a.b.c", ['"made by replace"'], "TXT")
        self.status("b.c", "NOERROR")
        pdnsutil("delete-rrset", APEX, "a.b.c", "TXT")
        self.status("b.c", "NXDOMAIN")
        pdnsutil("delete-rrset", APEX, "www", "A")
        self.status("www", "NXDOMAIN")
        self.assertIn("0 errors", pdnsutil("check-zone", APEX).stdout)

    def test_add_record_that_contradicts_is_refused(self):
        self.assertIn("CNAME", self.refused("add-record", APEX, "www", "CNAME", "elsewhere.example.net."))
        self.refused("add-record", APEX, "bad", "A", "not-an-address")
        self.refused("add-record", "unknown.test", "www", "A", "192.0.2.1")

    def test_edit_zone_with_an_editor(self):
        editor = self.stack.write(
            "editor",
            "#!/bin/sh\nsed -i -e 's/192\\.0\\.2\\.10/192.0.2.99/' -e '$a edited.example.test. "
            '300 IN TXT "by hand"\' "$@"\n',
        )
        os.chmod(editor, 0o755)
        serial = self.serial()
        done = self.stack.pdnsutil("edit-zone", APEX, stdin="ya", env={"EDITOR": editor, "TERM": "dumb"})
        self.assertIn("edited.example.test", done.stdout)
        self.answers("www", ["192.0.2.99"])
        self.answers("edited", ['"by hand"'], "TXT")
        self.assertGreaterEqual(self.serial(), serial)
        self.answers("deep.ent", ["192.0.2.30"])

    def test_load_zone_replaces_and_clear_zone_empties(self):
        pdnsutil = self.stack.pdnsutil
        text = (
            ZONE.replace("192.0.2.10", "192.0.2.77").replace(" 100 10800", " 4000 10800")
            + "later.example.test. 60 IN AAAA 2001:db8::1\n"
        )
        pdnsutil("load-zone", APEX, self.stack.write("next", text.replace("*.wild", "*.tame")))
        self.answers("www", ["192.0.2.77"])
        self.answers("later", ["2001:db8::1"], "AAAA")
        self.answers("z.tame", ["192.0.2.20"])
        self.status("x.wild", "NXDOMAIN")
        self.assertEqual(self.serial(), 4000)
        listed = pdnsutil("list-zone", APEX).stdout.replace("$ORIGIN .\n", "")
        self.assertEqual(
            records(re.sub(r"^(\S+)\t", r"\1.\t", listed, flags=re.M)), records(text.replace("*.wild", "*.tame"))
        )
        self.refused("load-zone", APEX, self.stack.write("broken", ZONE + "www.example.test. 60 IN A 192.0.2.300\n"))

    def test_increase_serial(self):
        serial = self.serial()
        self.stack.pdnsutil("increase-serial", APEX)
        wait_for("a greater serial", lambda: self.serial() > serial, 5)

    def test_lists_and_checks(self):
        stack = self.stack
        for number in range(3):
            stack.call("POST", "/v1/zones", json.dumps({"name": f"z{number}.test", "nameservers": [f"ns1.{APEX}"]}))
        zones = sorted([APEX, "z0.test", "z1.test", "z2.test"])
        self.assertEqual(sorted(stack.pdnsutil("list-all-zones").stdout.split()), zones)
        self.assertEqual(sorted(stack.pdnsutil("list-all-zones", "native").stdout.split()), zones)
        self.assertEqual(stack.pdnsutil("list-all-zones", "secondary").stdout.split(), [])
        checked = stack.pdnsutil("check-all-zones").stdout
        self.assertIn("Checked 4 zones, 0 had errors", checked)
        shown = stack.pdnsutil("show-zone", APEX).stdout
        self.assertIn("This is a Native zone", shown)
        self.assertIn("Zone is not actively secured", shown)
        self.assertEqual(stack.pdnsutil("hash-zone-record", APEX, f"www.{APEX}", check=False).returncode, 0)


class Keys(Tools):
    def trust(self):
        keys = [line.split() for line in self.stack.short(APEX, "DNSKEY", "+nosplit") if line.startswith("257")]
        body = "".join(
            f'{APEX}. static-key {flags} {protocol} {algorithm} "{key}";\n' for flags, protocol, algorithm, key in keys
        )
        return self.stack.write("anchors", "trust-anchors {\n" + body + "};\n")

    def delv(self, name, rtype="A"):
        done = run(
            "delv",
            "@127.0.0.1",
            "-p",
            str(self.stack.port),
            "-a",
            self.trust(),
            "+root=example.test.",
            f"{name}.{APEX}" if name else APEX,
            rtype,
            check=False,
        )
        return done.stdout + done.stderr

    def validates(self, opt_out=False, narrow=False):
        # What an opt-out span covers is insecure by design (RFC 5155 9.2),
        # and the answer of a wildcard leans on such a span.
        for name, rtype in (("www", "A"), ("", "SOA"), ("", "DNSKEY"), ("x.wild", "A"), ("deep.ent", "A")):
            if opt_out and name == "x.wild":
                continue
            wait_for(f"{name} {rtype} validates", lambda: "; fully validated" in self.delv(name, rtype), 10)
        if not opt_out:
            for name, rtype in (
                ("none", "A"),
                ("a.none.ent", "A"),
                ("www", "TXT"),
                ("ent", "A"),
                ("child", "DS"),
                ("x.wild", "MX"),
            ):
                self.assertIn("negative response, fully validated", self.delv(name, rtype), f"{name} {rtype}")
        if not narrow:
            signed = self.stack.write("signed", self.stack.axfr(APEX))
            run("ldns-verify-zone", "-V", "1", signed)
        drilled = run("drill", "-D", "-p", str(self.stack.port), f"www.{APEX}", "@127.0.0.1").stdout
        self.assertIn("RRSIG", drilled)

    def test_secure_nsec3_narrow_and_back(self):
        pdnsutil = self.stack.pdnsutil
        pdnsutil("secure-zone", APEX)
        wait_for("signatures", lambda: "RRSIG" in self.stack.dig(f"www.{APEX}", "A", "+dnssec"), 10)
        self.validates()
        for parameters, narrow in (("1 0 0 -", False), ("1 0 5 abcd", False), ("1 1 0 -", False), ("1 0 0 -", True)):
            with self.subTest(nsec3=parameters, narrow=narrow):
                pdnsutil("set-nsec3", APEX, parameters, *(["narrow"] if narrow else []))
                pdnsutil("rectify-zone", APEX)
                wait_for(
                    "the parameters",
                    lambda: self.stack.short(APEX, "NSEC3PARAM")
                    == [f"1 0 {parameters.split()[2]} {parameters.split()[3].upper()}"],
                    10,
                )
                wait_for("NSEC3", lambda: "NSEC3" in self.stack.dig(f"gone.{APEX}", "A", "+dnssec").split(), 10)
                self.validates(parameters.startswith("1 1"), narrow)
                shown = pdnsutil("show-zone", APEX).stdout
                self.assertIn("narrow" if narrow else parameters.split()[3], shown.split("NSEC3", 1)[1].lower())
        pdnsutil("unset-nsec3", APEX)
        wait_for("NSEC", lambda: "NSEC" in self.stack.dig(f"gone.{APEX}", "A", "+dnssec").split(), 10)
        self.validates()
        self.assertIn("0 errors", pdnsutil("check-zone", APEX).stdout)
        pdnsutil("rectify-all-zones")
        ds = [line for line in pdnsutil("export-zone-ds", APEX).stdout.splitlines() if " IN DS " in line]
        self.assertTrue(ds)
        keys = self.stack.write(
            "keys", "\n".join(line for line in self.stack.axfr(APEX).splitlines() if "DNSKEY\t257" in line) + "\n"
        )
        made = run("ldns-key2ds", "-n", "-2", keys).stdout
        self.assertIn(made.split()[-1].lower(), " ".join(ds).lower())

    def test_a_key_rolls(self):
        pdnsutil = self.stack.pdnsutil
        pdnsutil("secure-zone", APEX)
        self.validates()
        pdnsutil("add-zone-key", APEX, "ksk", "inactive", "unpublished", "ecdsa256")
        pdnsutil("add-zone-key", APEX, "zsk", "active", "published", "ecdsa256")
        self.assertEqual(len(pdnsutil("list-keys", APEX).stdout.split(APEX)) - 1, 3)
        shown = pdnsutil("show-zone", APEX).stdout
        keys = re.findall(r"ID = (\d+) \(\w+\), flags = (\d+), .*?(Active|Inactive)\s+(Published|Unpublished)", shown)
        self.assertEqual(len(keys), 3, shown)
        new = next(key for key in keys if key[2] == "Inactive")
        zsk = next(key for key in keys if key[1] == "256")
        first = next(key for key in keys if key not in (new, zsk))
        self.assertEqual(new[3], "Unpublished")

        def dnskeys():
            return len(self.stack.short(APEX, "DNSKEY"))

        wait_for("the first key and the new ZSK", lambda: dnskeys() == 2, 5)
        pdnsutil("publish-zone-key", APEX, new[0])
        wait_for("three published", lambda: dnskeys() == 3, 5)
        pdnsutil("activate-zone-key", APEX, new[0])
        self.validates()
        exported = pdnsutil("export-zone-dnskey", APEX, new[0]).stdout
        self.assertIn(exported.split()[-1][:40], "".join("".join(self.stack.short(APEX, "DNSKEY")).split()))
        pdnsutil("deactivate-zone-key", APEX, first[0])
        pdnsutil("deactivate-zone-key", APEX, zsk[0])
        self.validates()
        pdnsutil("unpublish-zone-key", APEX, zsk[0])
        wait_for("two published", lambda: dnskeys() == 2, 5)
        pdnsutil("remove-zone-key", APEX, zsk[0])
        pdnsutil("remove-zone-key", APEX, first[0])
        wait_for("one key is left", lambda: dnskeys() == 1, 5)
        self.validates()
        self.assertNotIn(f"ID = {first[0]} ", pdnsutil("show-zone", APEX).stdout)

    def test_keys_are_exported_and_imported(self):
        pdnsutil = self.stack.pdnsutil
        pdnsutil("secure-zone", APEX)
        before = sorted(self.stack.short(APEX, "DNSKEY"))
        identity = re.search(r"ID = (\d+)", pdnsutil("show-zone", APEX).stdout).group(1)
        private = self.stack.write("private", pdnsutil("export-zone-key", APEX, identity).stdout)
        pdnsutil("remove-zone-key", APEX, identity)
        wait_for("no keys", lambda: self.stack.short(APEX, "DNSKEY") == [], 5)
        pdnsutil("import-zone-key", APEX, private, "active", "ksk", "published")
        wait_for("the same key again", lambda: sorted(self.stack.short(APEX, "DNSKEY")) == before, 5)
        self.validates()
        generated = self.stack.write("generated", self.stack.pdnsutil("generate-zone-key", "zsk", "ecdsa256").stdout)
        pdnsutil("import-zone-key", APEX, generated, "inactive", "zsk", "published")
        wait_for("both keys", lambda: len(self.stack.short(APEX, "DNSKEY")) == 2, 5)
        pdnsutil("disable-dnssec", APEX)
        wait_for("no signatures", lambda: "RRSIG" not in self.stack.dig(f"www.{APEX}", "A", "+dnssec"), 5)

    def test_cds_and_cdnskey(self):
        pdnsutil = self.stack.pdnsutil
        pdnsutil("secure-zone", APEX)
        pdnsutil("set-publish-cds", APEX)
        pdnsutil("set-publish-cdnskey", APEX)
        wait_for("CDS", lambda: len(self.stack.short(APEX, "CDS")) == 1, 5)
        wait_for("CDNSKEY", lambda: len(self.stack.short(APEX, "CDNSKEY")) == 1, 5)
        pdnsutil("unset-publish-cds", APEX)
        pdnsutil("unset-publish-cdnskey", APEX)
        wait_for("neither", lambda: self.stack.short(APEX, "CDS") + self.stack.short(APEX, "CDNSKEY") == [], 5)

    def test_a_zone_signed_elsewhere(self):
        stack = self.stack
        zone = stack.write("unsigned", ZONE)
        keys = [
            run("ldns-keygen", "-a", "ECDSAP256SHA256", *kind, APEX, cwd=stack.folder).stdout.strip()
            for kind in (["-k"], [])
        ]
        run("ldns-signzone", "-f", zone + ".signed", "-o", APEX, zone, *(stack.path(key) for key in keys))
        with open(zone + ".signed", encoding="utf-8") as file:
            lines = [line for line in file if line.split() and line.split()[3] != "NSEC" and not line.startswith(";")]
        stack.pdnsutil("load-zone", APEX, stack.write("signed", "".join(lines)))
        stack.pdnsutil("set-presigned", APEX)
        wait_for("its signatures", lambda: "RRSIG" in stack.dig(f"www.{APEX}", "A", "+dnssec"), 10)
        self.assertIn("fully validated", self.delv("www"))
        self.assertIn("negative response, fully validated", self.delv("none"))
        self.assertIn("negative response, fully validated", self.delv("ent"))
        self.assertIn("Zone is presigned", stack.pdnsutil("show-zone", APEX).stdout)
        stack.pdnsutil("unset-presigned", APEX)
        wait_for("not served as signed", lambda: "RRSIG" not in stack.dig(f"www.{APEX}", "A", "+dnssec"), 10)


class Settings(Tools):
    def test_metadata(self):
        pdnsutil = self.stack.pdnsutil
        pdnsutil("set-meta", APEX, "ALLOW-AXFR-FROM", "192.0.2.0/24", "198.51.100.0/24")
        self.assertIn("ALLOW-AXFR-FROM = 192.0.2.0/24, 198.51.100.0/24", pdnsutil("get-meta", APEX).stdout)
        pdnsutil("add-meta", APEX, "ALLOW-AXFR-FROM", "203.0.113.0/24")
        self.assertIn("203.0.113.0/24", pdnsutil("get-meta", APEX, "ALLOW-AXFR-FROM").stdout)
        self.assertIn("192.0.2.0/24", pdnsutil("get-meta", APEX, "ALLOW-AXFR-FROM").stdout)
        pdnsutil("set-meta", APEX, "X-OWN", "anything at all")
        self.assertIn("X-OWN = anything at all", pdnsutil("get-meta", APEX).stdout)
        pdnsutil("set-meta", APEX, "ALLOW-AXFR-FROM")
        self.assertNotIn("ALLOW-AXFR-FROM", pdnsutil("get-meta", APEX).stdout)

    def test_tsig_keys_and_signed_transfers(self):
        stack = self.stack
        stack.pdnsutil("import-tsig-key", "transfer", "hmac-sha256", SECRET)
        generated = stack.pdnsutil("generate-tsig-key", "made", "hmac-sha512").stdout
        listed = stack.pdnsutil("list-tsig-keys").stdout
        self.assertIn(f"transfer. hmac-sha256. {SECRET}", listed)
        self.assertIn("made. hmac-sha512.", listed)
        self.assertIn(generated.split()[-1], listed)
        stack.pdnsutil("activate-tsig-key", APEX, "transfer", "primary")
        self.assertIn("TSIG-ALLOW-AXFR = transfer", stack.pdnsutil("get-meta", APEX).stdout)
        stack.pdnsutil("set-meta", APEX, "ALLOW-AXFR-FROM", "192.0.2.0/24")

        def transfer(*key):
            return run(
                "dig", "@127.0.0.1", "-p", str(stack.port), "+noall", "+answer", "+onesoa", *key, APEX, "AXFR"
            ).stdout

        wait_for(
            "a signed transfer", lambda: records(transfer("-y", "hmac-sha256:transfer:" + SECRET)) == records(ZONE), 10
        )
        wrong = run(
            "dig",
            "@127.0.0.1",
            "-p",
            str(stack.port),
            "-y",
            "hmac-sha256:transfer:d3Jvbmd3cm9uZw==",
            APEX,
            "AXFR",
            check=False,
        )
        self.assertNotIn("192.0.2.10", wrong.stdout)
        stack.pdnsutil("deactivate-tsig-key", APEX, "transfer", "primary")
        self.assertNotIn("TSIG-ALLOW-AXFR", stack.pdnsutil("get-meta", APEX).stdout)
        stack.pdnsutil("delete-tsig-key", "transfer")
        listed = stack.pdnsutil("list-tsig-keys").stdout
        self.assertNotIn("transfer.", listed)
        self.assertIn("made.", listed)

    def test_backend_commands_answer(self):
        done = self.stack.pdnsutil("backend-cmd", "remote", "status")
        self.assertRegex(done.stdout, r"revision [0-9]+")
        self.answers("www", ["192.0.2.10"])

    def test_what_the_protocol_has_no_words_for_fails_and_changes_nothing(self):
        for arguments in (
            ("create-zone", "made.test", "ns1.made.test"),
            ("delete-zone", APEX),
            ("create-secondary-zone", "made.test", "192.0.2.1"),
            ("set-kind", APEX, "primary"),
            ("load-zone", "made.test", self.stack.write("made", ZONE.replace(APEX, "made.test"))),
            ("add-autoprimary", "192.0.2.1", "ns.example.net"),
            ("set-account", APEX, "someone"),
            ("set-catalog", APEX, "catalog.test"),
        ):
            with self.subTest(command=arguments[0]):
                self.refused(*arguments)
        # pdnsutil does not look at what this one's backend says.
        before = self.everything()
        self.stack.pdnsutil("change-secondary-zone-primary", APEX, "192.0.2.1", check=False)
        self.assertEqual(self.everything(), before)


class WebApi(Tools):
    def api(self, method, target, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.web_port, timeout=20)
        try:
            connection.request(
                method,
                "/api/v1/servers/localhost" + target,
                json.dumps(body) if body is not None else None,
                {"X-API-Key": "test"},
            )
            response = connection.getresponse()
            text = response.read().decode()
            is_json = response.headers.get_content_type() == "application/json" and text
            return response.status, json.loads(text) if is_json else text
        finally:
            connection.close()

    def patch(self, *rrsets, status=204):
        answer = self.api("PATCH", f"/zones/{APEX}.", {"rrsets": list(rrsets)})
        self.assertEqual(answer[0], status, answer)
        return answer[1]

    @staticmethod
    def replace(name, rtype, *contents, ttl=60):
        return {
            "name": f"{name}.{APEX}.",
            "type": rtype,
            "ttl": ttl,
            "changetype": "REPLACE",
            "records": [{"content": content, "disabled": False} for content in contents],
        }

    @staticmethod
    def delete(name, rtype):
        return {"name": f"{name}.{APEX}.", "type": rtype, "changetype": "DELETE"}

    def test_reads(self):
        status, zones = self.api("GET", "/zones")
        self.assertEqual((status, [zone["name"] for zone in zones]), (200, [f"{APEX}."]))
        status, zone = self.api("GET", f"/zones/{APEX}.")
        self.assertEqual(status, 200)
        found = {
            (rrset["name"], rrset["type"]): sorted(record["content"] for record in rrset["records"])
            for rrset in zone["rrsets"]
        }
        self.assertEqual(found[f"www.{APEX}.", "A"], ["192.0.2.10"])
        self.assertEqual(len(found), len({(owner, rtype) for owner, _, rtype, _ in records(ZONE)}))
        status, hits = self.api("GET", "/search-data?q=192.0.2.1*&max=100")
        self.assertEqual(status, 200)
        self.assertEqual({hit["name"] for hit in hits}, {f"www.{APEX}.", f"ns1.{APEX}."})
        status, meta = self.api("GET", f"/zones/{APEX}./metadata")
        self.assertEqual(status, 200)
        self.assertEqual(self.api("GET", "/zones/unknown.test.")[0], 404)

    def test_patch_replaces_and_deletes_in_one_change(self):
        serial = self.serial()
        self.patch(
            self.replace("new", "A", "192.0.2.60", "192.0.2.61"),
            self.replace("new", "TXT", '"text"'),
            self.delete("www", "A"),
        )
        self.answers("new", ["192.0.2.60", "192.0.2.61"])
        self.answers("new", ['"text"'], "TXT")
        self.status("www", "NXDOMAIN")
        self.assertGreater(self.serial(), serial)
        self.patch(self.delete("new", "A"))
        self.answers("new", [])
        self.answers("new", ['"text"'], "TXT")

    def test_a_patch_with_a_mistake_changes_nothing(self):
        before = self.everything()
        self.patch(self.replace("new", "A", "192.0.2.60"), self.replace("other", "A", "bad"), status=422)
        self.patch(self.replace("new", "A", "192.0.2.60"), self.replace("www", "CNAME", f"new.{APEX}."), status=422)
        self.patch(
            {
                "name": "www.other.test.",
                "type": "A",
                "ttl": 60,
                "changetype": "REPLACE",
                "records": [{"content": "192.0.2.1", "disabled": False}],
            },
            status=422,
        )
        self.assertEqual(self.everything(), before)

    def test_keys_and_metadata(self):
        status, key = self.api(
            "POST", f"/zones/{APEX}./cryptokeys", {"keytype": "csk", "active": True, "algorithm": "ecdsa256"}
        )
        self.assertEqual(status, 201, key)
        wait_for("signatures", lambda: "RRSIG" in self.stack.dig(f"www.{APEX}", "A", "+dnssec"), 10)
        status, keys = self.api("GET", f"/zones/{APEX}./cryptokeys")
        self.assertEqual((status, [one["id"] for one in keys]), (200, [key["id"]]))
        self.assertEqual(self.api("PUT", f"/zones/{APEX}./cryptokeys/{key['id']}", {"active": False})[0], 204)
        wait_for("none", lambda: "RRSIG" not in self.stack.dig(f"www.{APEX}", "A", "+dnssec"), 10)
        self.assertEqual(self.api("DELETE", f"/zones/{APEX}./cryptokeys/{key['id']}")[0], 204)
        self.assertEqual(self.api("GET", f"/zones/{APEX}./cryptokeys"), (200, []))
        self.assertEqual(
            self.api("PUT", f"/zones/{APEX}./metadata/ALSO-NOTIFY", {"kind": "ALSO-NOTIFY", "metadata": ["192.0.2.9"]})[
                0
            ],
            200,
        )
        self.assertEqual(self.api("GET", f"/zones/{APEX}./metadata/ALSO-NOTIFY")[1]["metadata"], ["192.0.2.9"])
        self.assertEqual(self.api("DELETE", f"/zones/{APEX}./metadata/ALSO-NOTIFY")[0] // 100, 2)

    def test_creating_and_deleting_a_zone_is_refused(self):
        before = self.everything()
        self.assertEqual(
            self.api("POST", "/zones", {"name": "made.test.", "kind": "Native", "nameservers": [f"ns1.{APEX}."]})[0],
            422,
        )
        status, _ = self.api("DELETE", f"/zones/{APEX}.")
        self.assertGreaterEqual(status, 400)
        self.assertEqual(self.everything(), before)
        self.answers("www", ["192.0.2.10"])


class Updates(Tools):
    def update(self, *lines, key=None, check=True):
        script = (
            f"server 127.0.0.1 {self.stack.port}\nzone {APEX}\n" + "".join(line + "\n" for line in lines) + "send\n"
        )
        return run("nsupdate", *(["-y", key] if key else []), stdin=script, check=check)

    def fails(self, rcode, *lines, key=None):
        before = self.everything()
        done = self.update(*lines, key=key, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(rcode, done.stdout + done.stderr)
        self.assertEqual(self.everything(), before)

    def test_additions_and_every_kind_of_deletion(self):
        serial = self.serial()
        self.update(
            f"update add new.{APEX} 60 A 192.0.2.80",
            f"update add new.{APEX} 60 A 192.0.2.81",
            f'update add new.{APEX} 60 TXT "t"',
            f"update add a.b.{APEX} 60 A 192.0.2.82",
        )
        self.answers("new", ["192.0.2.80", "192.0.2.81"])
        self.answers("a.b", ["192.0.2.82"])
        self.status("b", "NOERROR")
        wait_for("a greater serial", lambda: self.serial() > serial, 5)
        self.update(f"update delete new.{APEX} A 192.0.2.80")
        self.answers("new", ["192.0.2.81"])
        self.update(f"update delete new.{APEX} A")
        self.answers("new", [])
        self.answers("new", ['"t"'], "TXT")
        self.update(f"update delete a.b.{APEX}", f"update delete new.{APEX}")
        self.status("a.b", "NXDOMAIN")
        self.status("b", "NXDOMAIN")
        self.status("new", "NXDOMAIN")
        self.update(f"update delete www.{APEX} A", f"update add www.{APEX} 60 CNAME new.{APEX}")
        self.answers("www", [f"new.{APEX}."], "CNAME")

    def test_prerequisites(self):
        self.update(f"prereq nxdomain new.{APEX}", f"update add new.{APEX} 60 A 192.0.2.80")
        self.answers("new", ["192.0.2.80"])
        self.fails("YXDOMAIN", f"prereq nxdomain new.{APEX}", f"update add new.{APEX} 60 A 192.0.2.81")
        self.fails("NXDOMAIN", f"prereq yxdomain none.{APEX}", f"update add none.{APEX} 60 A 192.0.2.81")
        self.fails("NXRRSET", f"prereq yxrrset new.{APEX} TXT", f"update add new.{APEX} 60 A 192.0.2.81")
        self.fails("YXRRSET", f"prereq nxrrset new.{APEX} A", f"update add new.{APEX} 60 A 192.0.2.81")
        self.fails("NXRRSET", f"prereq yxrrset new.{APEX} A 192.0.2.99", f"update add new.{APEX} 60 A 192.0.2.81")
        self.update(f"prereq yxrrset new.{APEX} A 192.0.2.80", f"update delete new.{APEX} A")
        self.status("new", "NXDOMAIN")

    def test_signed_updates_only(self):
        stack = self.stack
        stack.pdnsutil("import-tsig-key", "update", "hmac-sha256", SECRET)
        stack.pdnsutil("set-meta", APEX, "TSIG-ALLOW-DNSUPDATE", "update")
        wait_for(
            "the setting",
            lambda: self.update(f"update add unsigned.{APEX} 60 A 192.0.2.83", check=False).returncode != 0,
            10,
        )
        stack.pdnsutil("delete-rrset", APEX, "unsigned", "A", check=False)
        self.fails("REFUSED", f"update add new.{APEX} 60 A 192.0.2.83")
        self.update(f"update add new.{APEX} 60 A 192.0.2.84", key=f"hmac-sha256:update:{SECRET}")
        self.answers("new", ["192.0.2.84"])
        self.fails("REFUSED", f"update add new.{APEX} 60 A 192.0.2.85", key="hmac-sha256:update:d3Jvbmd3cm9uZw==")

    def test_a_signed_zone_stays_valid(self):
        self.stack.pdnsutil("secure-zone", APEX)
        self.stack.pdnsutil("set-nsec3", APEX, "1 0 0 -")
        self.update(
            f"update add new.{APEX} 60 A 192.0.2.80",
            f"update add x.y.z.{APEX} 60 A 192.0.2.81",
            f"update add sub.{APEX} 60 NS ns1.{APEX}",
            f"update delete deep.ent.{APEX} A",
        )
        self.answers("new", ["192.0.2.80"])
        self.status("ent", "NXDOMAIN")
        wait_for("NSEC3", lambda: "NSEC3" in self.stack.dig(f"gone.{APEX}", "A", "+dnssec").split(), 10)
        run("ldns-verify-zone", "-V", "1", self.stack.write("signed", self.stack.axfr(APEX)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
