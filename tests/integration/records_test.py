#!/usr/bin/env python3
"""Every record type: what goes in by zone file and by pdnsutil comes out over DNS as with PowerDNS's SQLite backend.

NAVIGATOR names the binary under test.
"""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from servers import Navigator, Sqlite, wait_for  # noqa: E402

KEY = "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
DIGEST = "2371 13 2 1f987cc6583e92df0890718c42a2d5e9ad4ae1a4c3b2a1c0f4b2d1a29a0e1c2d"
IPSEC = "AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="

# (type, content): all that PowerDNS 4.7 has a presentation form for.
KNOWN = [
    ("A", "192.0.2.1"), ("AAAA", "2001:DB8:0::1"), ("AFSDB", "1 afsdb.example.test."),
    ("APL", "1:192.0.2.0/24 !2:2001:db8::/32"), ("CAA", '0 issue "letsencrypt.org; validationmethods=dns-01"'),
    ("CAA", '128 iodef "mailto:security@example.test"'), ("CDNSKEY", KEY), ("CDS", DIGEST), ("CERT", "1 0 0 AQIDBA=="),
    ("CNAME", "www.example.test."), ("CSYNC", "66 3 A NS AAAA"),
    ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="), ("DLV", DIGEST), ("DNAME", "other.test."),
    ("DNSKEY", KEY), ("EUI48", "00-00-5e-00-53-2a"), ("EUI64", "00-00-5e-ef-10-00-00-2a"),
    ("HINFO", '"Intel" "Linux box"'), ("HTTPS", "0 svc.example.test."),
    ("HTTPS", "1 . alpn=h2,h3 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1"),
    ("HTTPS", "1 svc.example.test. mandatory=alpn,port alpn=h2 no-default-alpn port=8443"),
    ("IPSECKEY", "10 1 2 192.0.2.38 " + IPSEC), ("IPSECKEY", "10 2 2 2001:db8::1 " + IPSEC),
    ("IPSECKEY", "10 3 2 gw.example.test. " + IPSEC), ("KEY", "256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1k"),
    ("KX", "10 kx.example.test."), ("L32", "10 10.1.2.0"), ("L64", "10 2001:0db8:1140:1000"),
    ("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 1.00m 10000.00m 10.00m"),
    ("LOC", "51 30 12.748 N 0 7 39.612 W 0.00m 0.00m 0.00m 0.00m"), ("LP", "10 l64.example.test."),
    ("MB", "mb.example.test."), ("MG", "mg.example.test."), ("MINFO", "rm.example.test. em.example.test."),
    ("MR", "mr.example.test."), ("MX", "10 mx.example.test."), ("MX", "0 ."),
    ("NAPTR", '100 50 "s" "z3950+I2L+I2C" "" _z3950._tcp.example.test.'),
    ("NAPTR", '10 100 "U" "E2U+sip" "!^.*$!sip:info@example.test!" .'), ("NID", "10 0014:4fff:ff20:ee64"),
    ("NS", "ns.example.net."), ("OPENPGPKEY", "mQENBFVHm5sBCADQ"), ("PTR", "host.example.test."),
    ("RKEY", "0 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1k"), ("RP", "mbox.example.test. txt.example.test."),
    ("SMIMEA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"), ("SPF", '"v=spf1 -all"'),
    ("SRV", "0 5 5060 sip.example.test."), ("SSHFP", "1 1 2bb183af5f22588179a53b0a98631fad1a292118"),
    ("SVCB", "16 foo.example.org. alpn=h2,h3-19 port=53"), ("SVCB", "1 . ech=AEX+DQ=="),
    ("SVCB", '1 . key667="hello\\210qoo" key65333="ex1"'),
    ("TLSA", "3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971"), ("TXT", '"a b" "c"'),
    ("TXT", '"quote \\" semi ; back\\\\slash \\255\\000 tab\\009"'), ("TXT", '""'), ("TXT", '"' + "k" * 600 + '"'),
    ("TXT", '"' + "\\255" * 255 + '"'), ("URI", '10 1 "ftp://ftp.example.test/public"'),
    ("ZONEMD", "2018031500 1 1 " + "ab" * 48),
    ("TYPE65280", "\\# 4 0A000001"), ("TYPE65281", "\\# 0"), ("CNAME", "a\\.b\\032c.example.test."),
    ("MX", "10 \\200\\000octets.example.test."), ("PTR", "xn--bcher-kva.example.")]

# (type, content, RFC 3597 content): types that PowerDNS 4.7 does not know but a master file may name.
GENERIC = [
    ("WKS", "192.0.2.1 6 25 80", "TYPE11", "\\# 16 c0000201060000004000000000000080"),
    ("X25", '"311061700956"', "TYPE19", "\\# 13 0c333131303631373030393536"),
    ("ISDN", '"150862028003217" "004"', "TYPE20", "\\# 20 0f31353038363230323830303332313703303034"),
    ("RT", "10 a.test.", "TYPE21", "\\# 10 000a0161047465737400"),
    ("NSAP", "0x47000580005a0000000001e133ffffff00016100", "TYPE22", "\\# 20 47000580005a0000000001e133ffffff00016100"),
    ("PX", "10 a.test. b.test.", "TYPE26", "\\# 18 000a01610474657374000162047465737400"),
    ("GPOS", '"-32.6882" "116.8652" "10.0"', "TYPE27", "\\# 23 082d33322e36383832083131362e383635320431302e30"),
    ("A6", "\\# 17 0020010db8000000000000000000000001", "TYPE38", "\\# 17 0020010db8000000000000000000000001"),
    ("TALINK", "a.test. b.test.", "TYPE58", "\\# 16 01610474657374000162047465737400"),
    ("AMTRELAY", "\\# 6 0a01c0000201", "TYPE260", "\\# 6 0a01c0000201"),
    ("TA", DIGEST, "TYPE32768", "\\# 36 09430d021f987cc6583e92df0890718c42a2d5e9ad4ae1a4c3b2a1c0f4b2d1a29a0e1c2d")]

REFUSED = [
    ("A", "192.0.2.256", "192.0.2.256"), ("AAAA", "192.0.2.1", "AAAA"), ("MX", "mail", "MX"),
    ("MX", "70000 a.", "16 bits"),
    ("SRV", "1 2 a.", "SRV"), ("CAA", "256 issue x", "8 bits"), ("TXT", '"open', "quote"), ("CNAME", "a..b.", "CNAME"),
    ("DS", "1 13 2 zz", "DS"), ("TLSA", "3 1 x ab", "TLSA"), ("LOC", "99 N", "LOC"),
    ("TYPE65280", "\\# 3 00", "TYPE65280"),
    ("LUA", "A code", "quoted"), ("TSIG", "x", "TSIG"), ("NOTYPE", "x", "NOTYPE"), ("SVCB", "1 . port=70000", "SVCB")]

HEAD = "$TTL 300\n@ SOA ns1.example.test. hostmaster.example.test. 1 10800 3600 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n"


def answer(server, name, rtype):
    """The answer section with names in lower case, where DNS makes no difference."""
    out = server.dig(name, rtype, "+noall", "+answer", "+tcp")
    return sorted(" ".join(line.split()) for line in out.splitlines())


class Records(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.processes = []
        cls.addClassCleanup(cls.close)
        cls.navigator = Navigator()
        cls.processes.append(cls.navigator)
        cls.navigator.start()
        cls.ours = cls.navigator.pdns("ours")
        cls.processes.append(cls.ours)
        cls.theirs = Sqlite("theirs")
        cls.processes.append(cls.theirs)
        cls.ours.start()
        cls.theirs.start()

    @classmethod
    def close(cls):
        for process in reversed(cls.processes):
            process.close()

    def fill(self, zone, ours, theirs):
        self.navigator.import_zone(zone, f"$ORIGIN {zone}.\n" + HEAD.replace("example.test", zone) + ours)
        self.theirs.pdnsutil("create-zone", zone, f"ns1.{zone}")
        self.theirs.load(zone, HEAD.replace("example.test", zone) + theirs)
        for server in (self.ours, self.theirs):
            wait_for(f"{server.name} serves {zone}", lambda: server.serial(zone) is not None)

    def compare(self, zone, rows):
        for number, rtype, content in rows:
            with self.subTest(type=rtype, content=content[:60]):
                name = f"r{number}.{zone}"
                theirs = answer(self.theirs, name, rtype)
                self.assertEqual(len(theirs), 1 if rtype not in ("NS",) else 0, f"the yardstick has it: {theirs}")
                self.assertEqual(answer(self.ours, name, rtype), theirs)

        def transferred(server):
            # The serial is the store's own business: each change raises it.
            return [line for line in server.axfr(zone) if " SOA " not in line]

        self.assertEqual(transferred(self.ours), transferred(self.theirs))

    def test_by_zone_file(self):
        text = "".join(f"r{i} {rtype} {content}\n" for i, (rtype, content) in enumerate(KNOWN))
        self.fill("file.test", text, text)
        self.compare("file.test", [(i, rtype, content) for i, (rtype, content) in enumerate(KNOWN)])
        # What is exported means what was imported.
        before = self.ours.axfr("file.test")
        exported = self.navigator.command("zone", "export", "file.test").stdout
        self.navigator.import_zone("file.test", exported)
        self.assertEqual(self.ours.axfr("file.test"), before)

    def test_types_without_a_name_in_powerdns(self):
        ours = "".join(f"r{i} {rtype} {content}\n" for i, (rtype, content, _, _) in enumerate(GENERIC))
        theirs = "".join(f"r{i} {rtype} {content}\n" for i, (_, _, rtype, content) in enumerate(GENERIC))
        self.fill("generic.test", ours, theirs)
        self.compare("generic.test", [(i, rtype, content) for i, (_, _, rtype, content) in enumerate(GENERIC)])

    def test_by_pdnsutil(self):
        self.fill("util.test", "", "")
        done = []
        for number, (rtype, content) in enumerate(KNOWN):
            results = [server.pdnsutil("add-record", "util.test", f"r{number}", rtype, "300", content, check=False)
                       for server in (self.ours, self.theirs)]
            with self.subTest(type=rtype, content=content[:60]):
                self.assertEqual([one.returncode for one in results], [0, 0], results[0].stdout + results[0].stderr)
            done.append((number, rtype, content))
        for server in (self.ours, self.theirs):
            server.pdnsutil("rectify-zone", "util.test")
        self.compare("util.test", done)

    def test_alias_and_lua_are_stored_and_transferred_as_they_are(self):
        lua = "A \"ifportup(443, {'192.0.2.1'})\""
        text = f"r0 ALIAS other.test.\nr1 LUA {lua}\n"
        self.fill("private.test", text, text)
        for server in (self.ours, self.theirs):
            server.pdnsutil("set-meta", "private.test", "ENABLE-LUA-RECORDS", "1")
        self.assertEqual(self.ours.axfr("private.test"), self.theirs.axfr("private.test"))
        self.assertIn("LUA", self.ours.pdnsutil("list-zone", "private.test").stdout)
        self.assertEqual(answer(self.ours, "r1.private.test", "A"), answer(self.theirs, "r1.private.test", "A"))

    def test_names_of_every_kind(self):
        owners = ["a\\.b", "with\\032space", "\\200\\001", "_srv._tcp", "*.star", "UPPER.Case", "xn--bcher-kva", "1",
                  "-dash-", "l" * 63]
        text = "".join(f"{owner} A 192.0.2.{number}\n" for number, owner in enumerate(owners))
        self.fill("names.test", text, text)
        self.assertEqual(self.ours.axfr("names.test"), self.theirs.axfr("names.test"))
        # PowerDNS transfers names with other octets but answers no query for them.
        for name in ("a\\.b.names.test", "with\\032space.names.test", "UPPER.case.names.test", "x.star.names.test"):
            self.assertEqual(answer(self.ours, name, "A"), answer(self.theirs, name, "A"), name)
            self.assertEqual(len(answer(self.ours, name, "A")), 1, name)
        # A U-label is converted on the way in.
        self.navigator.import_zone("names.test", "$ORIGIN names.test.\n" + HEAD.replace("example.test", "names.test") +
                                   "bücher A 192.0.2.60\nlink CNAME bücher\n")
        self.assertEqual(self.ours.short("xn--bcher-kva.names.test"), ["192.0.2.60"])
        self.assertEqual(self.ours.short("link.names.test"), ["192.0.2.60", "xn--bcher-kva.names.test."])
        # Also the zone's own name, and an owner by the API.
        text = "$ORIGIN bücher.test.\n" + HEAD.replace("example.test", "bücher.test")
        self.navigator.import_zone("bücher.test", text)
        status, body = self.navigator.call(
            "PUT", "/v1/zones/xn--bcher-kva.test/rrsets",
            {"rrsets": [{"name": "mädchen", "type": "A", "ttl": 60, "contents": ["192.0.2.61"]}]})
        self.assertEqual(status, 200, body)
        wait_for("the zone", lambda: self.ours.short("xn--mdchen-bua.xn--bcher-kva.test") == ["192.0.2.61"])

    def test_a_wrong_record_is_refused_with_reason_and_line(self):
        text = "$ORIGIN wrong.test.\n" + HEAD.replace("example.test", "wrong.test")
        text += "".join(f"r{i} {rtype} {content}\n" for i, (rtype, content, _) in enumerate(REFUSED))
        done = self.navigator.import_zone("wrong.test", text, check=False)
        self.assertNotEqual(done.returncode, 0)
        said = (done.stdout + done.stderr).splitlines()
        for number, (rtype, content, reason) in enumerate(REFUSED):
            line = number + 6  # $ORIGIN and the four lines of HEAD come first
            found = [one for one in said if f":{line}:" in one]
            self.assertTrue(found and any(reason in one for one in found), f"{rtype} {content}: {said}")
        self.assertEqual(self.navigator.call("GET", "/v1/zones/wrong.test")[0], 404)


if __name__ == "__main__":
    unittest.main(verbosity=2)
