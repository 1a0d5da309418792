"""Zones and questions for comparing two servers: everything is drawn from one seed, so a difference can be shown again.

A zone is a list of (owner, ttl, type, content) with absolute owners. Owners obey what any server insists on (CNAME
alone, one DNAME) and nothing else: data below delegations, loops, names of 255 octets and octets that are no letters
are the point.
"""
import random

import denial
import dns_wire

SEED = 20260923
BIG_NAMES = 20000


class Zone:
    def __init__(self, apex):
        self.apex = apex
        self.nodes = {}  # owner -> type -> set of (ttl, content); the TTL is the RRset's
        self.extra = []  # names worth asking that no record has
        base = "" if apex == "." else apex
        self.add(apex, "SOA", f"ns1.{base} hostmaster.{base} 2026092301 10800 3600 604800 300")
        self.add(apex, "NS", f"ns1.{base}")
        self.add(apex, "NS", "ns2.elsewhere.example.")
        self.add("ns1." + base, "A", "192.0.2.1")
        self.add("ns1." + base, "AAAA", "2001:db8::1")

    def add(self, owner, rtype, content, ttl=3600):
        """False, and nothing added, where the record may not stand."""
        present = self.nodes.setdefault(owner, {})
        if (
            present
            and rtype != "CNAME"
            and "CNAME" in present
            or rtype == "CNAME"
            and present
            or rtype in ("DNAME", "SOA")
            and rtype in present
        ):
            return False
        rrset = present.setdefault(rtype, {})
        rrset[content] = next(iter(rrset.values()), ttl)
        return True

    def records(self):
        return [
            (owner, ttl, rtype, content)
            for owner, types in self.nodes.items()
            for rtype, rrset in types.items()
            for content, ttl in rrset.items()
        ]

    def tame(self):
        """Leaves of what lies at and below a delegation NS, DS and glue: the reference keeps the rest in its NSEC and
        NSEC3 chains, where only authoritative names and delegations belong (RFC 4035 2.3, RFC 5155 7.1)."""
        cuts = self.cuts()
        for owner, types in self.nodes.items():
            hidden = self.below_cut(owner, cuts)
            for rtype in list(types):
                if (
                    hidden
                    and rtype not in ("A", "AAAA")
                    or rtype == "DS"
                    and "NS" not in types
                    or owner in cuts
                    and rtype not in ("NS", "DS")
                ):
                    del types[rtype]
        self.nodes = {owner: types for owner, types in self.nodes.items() if types}
        return self

    def without_hidden_ds(self):
        """Takes away every DS below a delegation: the reference answers with it."""
        cuts = self.cuts()
        for owner, types in self.nodes.items():
            if "DS" in types and self.below_cut(owner, cuts):
                del types["DS"]
        self.nodes = {owner: types for owner, types in self.nodes.items() if types}
        return self

    def cuts(self):
        return {owner for owner, types in self.nodes.items() if "NS" in types and owner != self.apex}

    def below_cut(self, owner, cuts):
        while owner != self.apex:
            owner = split(owner)[1]
            if owner in cuts:
                return True
        return False

    def chain(self):
        """The owners that NSEC records should have (RFC 4035 2.3), in their order, as wire names."""
        cuts = self.cuts()
        owners = [dns_wire.encode_name(owner).lower() for owner in self.nodes if not self.below_cut(owner, cuts)]
        return sorted(owners, key=denial.canonical)

    def text(self):
        return "".join(f"{owner} {ttl} IN {rtype} {content}\n" for owner, ttl, rtype, content in self.records())


def basic():
    zone = Zone("basic.test.")
    for number in range(40):
        zone.add(f"host{number}.basic.test.", "A", f"192.0.2.{number}", 60 + number)
        if number % 3 == 0:
            zone.add(f"host{number}.basic.test.", "AAAA", f"2001:db8::{number:x}")
    for rtype, content in (
        ("MX", "10 host1.basic.test."),
        ("MX", "20 outside.example."),
        ("MX", "30 missing.basic.test."),
        ("SRV", "0 5 5060 host2.basic.test."),
        ("SRV", "1 5 5060 x.wild.basic.test."),
        ("TXT", '"two" "strings"'),
        ("TXT", '"quote \\" backslash \\\\ and \\200 octet"'),
        ("CAA", '0 issue "ca.example.net"'),
        ("NAPTR", '100 50 "s" "http+I2L" "" _http._tcp.basic.test.'),
        ("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
        ("SSHFP", "4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789"),
        ("HINFO", '"cpu" "os"'),
        ("RP", "admin.basic.test. text.basic.test."),
        ("TLSA", "3 1 1 " + "ab" * 32),
        ("AFSDB", "1 host3.basic.test."),
        ("SVCB", "1 host4.basic.test. alpn=h2"),
        ("HTTPS", "1 . alpn=h2,h3"),
        ("TYPE65280", "\\# 4 0a000001"),
        ("PTR", "host5.basic.test."),
        ("SPF", '"v=spf1 -all"'),
        ("KX", "10 host6.basic.test."),
    ):
        assert zone.add("all.basic.test.", rtype, content), rtype
    zone.add("basic.test.", "MX", "10 mail.basic.test.")
    zone.add("mail.basic.test.", "A", "192.0.2.77")
    zone.add("*.wild.basic.test.", "A", "192.0.2.200")
    zone.add("*.wild.basic.test.", "TXT", '"wild"')
    zone.add("fixed.wild.basic.test.", "A", "192.0.2.201")
    zone.add("*.wc.basic.test.", "CNAME", "host1.basic.test.")
    zone.add("*.wcw.basic.test.", "CNAME", "anything.wild.basic.test.")
    zone.add("*.wco.basic.test.", "CNAME", "outside.example.")
    zone.add("*.wcm.basic.test.", "CNAME", "missing.basic.test.")
    zone.add("*.deep.ent.chain.basic.test.", "A", "192.0.2.202")
    zone.add("a.b.c.d.e.f.basic.test.", "A", "192.0.2.203")
    zone.add("*.basic.test.", "MX", "5 mail.basic.test.")
    zone.add("_sip._tcp.basic.test.", "SRV", "0 5 5060 host1.basic.test.")
    zone.add("*.wmx.basic.test.", "MX", "10 host1.basic.test.")
    zone.add("under_score.basic.test.", "A", "192.0.2.204")
    zone.add("zero.basic.test.", "A", "192.0.2.205", 0)
    for number in range(60):
        zone.add("large.basic.test.", "TXT", f'"{number:03d} {"x" * 100}"')
        zone.add("many.basic.test.", "A", f"198.51.100.{number}")
    delegations(zone)
    zone.add("aliased.basic.test.", "ALIAS", "host1.basic.test.")
    zone.add("lua.basic.test.", "LUA", "A \"'192.0.2.206'\"")
    return zone


def delegations(zone):
    apex = zone.apex
    zone.add(f"insecure.{apex}", "NS", f"ns.insecure.{apex}")
    zone.add(f"ns.insecure.{apex}", "A", "192.0.2.210")
    zone.add(f"ns.insecure.{apex}", "AAAA", "2001:db8::210")
    zone.add(f"glueless.{apex}", "NS", "ns.outside.example.")
    zone.add(f"secure.{apex}", "NS", f"ns.secure.{apex}")
    zone.add(f"secure.{apex}", "DS", "12345 13 2 " + "01" * 32)
    zone.add(f"secure.{apex}", "DS", "12345 13 4 " + "02" * 48)
    zone.add(f"ns.secure.{apex}", "A", "192.0.2.211")
    zone.add(f"sibling.{apex}", "NS", f"ns.insecure.{apex}")
    zone.add(f"inzone.{apex}", "NS", f"ns1.{apex}")
    zone.add(f"missing-glue.{apex}", "NS", f"ns.missing-glue.{apex}")
    zone.add(f"below.ent.of.{apex}", "NS", f"ns1.{apex}")
    zone.add(f"safe.ent.of.safe.{apex}", "NS", f"ns1.{apex}")
    zone.add(f"safe.ent.of.safe.{apex}", "DS", "54321 13 2 " + "03" * 32)
    zone.add(f"deep.er.insecure.{apex}", "A", "192.0.2.212")
    zone.add(f"*.secure.{apex}", "A", "192.0.2.215")
    zone.add(f"to-cut.{apex}", "CNAME", f"host.insecure.{apex}")
    zone.add(f"to-ds.{apex}", "CNAME", f"secure.{apex}")


def unruly():
    """Nested delegations and data at a cut."""
    zone = Zone("unruly.test.")
    delegations(zone)
    zone.add("occluded.insecure.unruly.test.", "TXT", '"below the cut"')
    zone.add("nested.insecure.unruly.test.", "NS", "ns.nested.insecure.unruly.test.")
    zone.add("ns.nested.insecure.unruly.test.", "A", "192.0.2.213")
    zone.add("mixed.unruly.test.", "NS", "mixed.unruly.test.")
    zone.add("mixed.unruly.test.", "A", "192.0.2.214")
    zone.add("mixed.unruly.test.", "TXT", '"at the cut"')
    return zone


def nested():
    """Parent, child and grandchild on one server, and a child that its parent does not delegate."""
    parent, child = Zone("parent.test."), Zone("child.parent.test.")
    grand, orphan = Zone("grand.child.parent.test."), Zone("orphan.parent.test.")
    deep = Zone("a.b.c.parent.test.")
    parent.add("child.parent.test.", "NS", "ns1.child.parent.test.")
    parent.add("child.parent.test.", "DS", "11111 13 2 " + "0a" * 32)
    parent.add("ns1.child.parent.test.", "A", "192.0.2.99")
    parent.add("hidden.child.parent.test.", "A", "192.0.2.95")
    parent.add("a.b.c.parent.test.", "NS", "ns1.a.b.c.parent.test.")
    parent.add("x.orphan.parent.test.", "A", "192.0.2.98")
    child.add("grand.child.parent.test.", "NS", "ns1.grand.child.parent.test.")
    child.add("grand.child.parent.test.", "NS", "ns1.parent.test.")
    child.add("up.child.parent.test.", "CNAME", "www.parent.test.")
    parent.add("down.parent.test.", "CNAME", "www.child.parent.test.")
    parent.add("deeper.parent.test.", "CNAME", "www.grand.child.parent.test.")
    parent.add("*.parent.test.", "TXT", '"parent wildcard"')
    for zone in (parent, child, grand, orphan, deep):
        zone.add("www." + zone.apex, "A", "192.0.2.97")
        zone.add("*.w." + zone.apex, "A", "192.0.2.96")
    return [parent, child, grand, orphan, deep]


def chains():
    zone = Zone("chains.test.")
    for number in range(14):
        zone.add(f"c{number}.chains.test.", "CNAME", f"c{number + 1}.chains.test.")
    zone.add("c14.chains.test.", "A", "192.0.2.50")
    zone.add("loop1.chains.test.", "CNAME", "loop2.chains.test.")
    zone.add("loop2.chains.test.", "CNAME", "loop1.chains.test.")
    zone.add("self.chains.test.", "CNAME", "self.chains.test.")
    zone.add("*.wself.chains.test.", "CNAME", "x.wself.chains.test.")
    zone.add("tomissing.chains.test.", "CNAME", "missing.chains.test.")
    zone.add("tonodata.chains.test.", "CNAME", "onlytxt.chains.test.")
    zone.add("onlytxt.chains.test.", "TXT", '"t"')
    zone.add("toent.chains.test.", "CNAME", "ent.chains.test.")
    zone.add("x.ent.chains.test.", "A", "192.0.2.51")
    zone.add("across.chains.test.", "CNAME", "host1.basic.test.")
    zone.add("acrossmissing.chains.test.", "CNAME", "nothing.fixed.wild.basic.test.")
    zone.add("acrosscut.chains.test.", "CNAME", "www.insecure.basic.test.")
    zone.add("dname.chains.test.", "DNAME", "target.chains.test.")
    zone.add("dname.chains.test.", "TXT", '"beside a DNAME"')
    zone.add("below.dname.chains.test.", "A", "192.0.2.52")
    zone.add("www.target.chains.test.", "A", "192.0.2.53")
    zone.add("*.wild.target.chains.test.", "A", "192.0.2.54")
    zone.add("out.chains.test.", "DNAME", "basic.test.")
    zone.add("dloop1.chains.test.", "DNAME", "dloop2.chains.test.")
    zone.add("dloop2.chains.test.", "DNAME", "dloop1.chains.test.")
    zone.add("long.chains.test.", "DNAME", ".".join(["l" * 60] * 3) + ".chains.test.")
    zone.extra += [
        "www.dname.chains.test.",
        "x.wild.dname.chains.test.",
        "host1.out.chains.test.",
        "missing.out.chains.test.",
        "a.dloop1.chains.test.",
        "a.b.c.dname.chains.test.",
        "y" * 60 + ".long.chains.test.",
        "a.b.wself.chains.test.",
        "below.below.dname.chains.test.",
    ]
    apex_dname = Zone("apexdname.test.")
    apex_dname.add("apexdname.test.", "DNAME", "target.chains.test.")
    apex_dname.extra += ["www.apexdname.test.", "missing.apexdname.test."]
    return [zone, apex_dname]


def odd():
    """Labels of 63 octets, names of 255 octets, case, digits, signs that other formats reserve, octets that are written as
    escapes. No label begins with \\000, \\001 or \\195: the reference orders names by that text, where RFC 4034 6.1 has
    the octets."""
    zone = Zone("odd.test.")
    for label in (
        "sp\\032ace",
        "tab\\009",
        "dot\\.inside",
        "back\\\\slash",
        'quote\\"d',
        "semi\\;colon",
        "paren\\(s\\)",
        "at\\@sign",
        "dollar\\$",
        "percent%",
        "plus+",
        "under_score",
        "high\\200\\255",
        "star*inside",
        "a*",
        "_acme-challenge",
        "-dash-",
        "xn--bcher-kva",
        "123",
        "\\127del",
        "colon:",
        "slash/",
        "'single'",
        "{brace}",
        "=",
        "caf\\195\\169",
        "tilde~",
        "x" * 63,
        "*x",
        "a\\042b",
        "amp&",
        "hash#",
        "less<",
        "pipe|",
        "comma,",
    ):
        zone.add(f"{label}.odd.test.", "A", "192.0.2.60")
        zone.add(f"sub.{label}.odd.test.", "TXT", '"below"')
        zone.add(f"*.w.{label}.odd.test.", "A", "192.0.2.61")
    zone.add("a.*.odd.test.", "A", "192.0.2.62")
    zone.add("*.*.stars.odd.test.", "A", "192.0.2.63")
    zone.add("UPPER.odd.test.", "TXT", '"upper"')
    zone.add("mixedcase.odd.test.", "CNAME", "TaRGet.OdD.tEsT.")
    zone.add("target.odd.test.", "MX", "10 MAIL.odd.TEST.")
    zone.add("mail.odd.test.", "A", "192.0.2.64")
    tail = ".odd.test."
    room = 255 - 1 - len(tail) + 1  # the root's octet; the first dot of `tail` counts as a length octet
    labels = ["m" * 63] * 3
    labels.append("n" * (room - 3 * 64 - 1 - 1))
    longest = ".".join(labels) + tail
    zone.add(longest, "A", "192.0.2.65")
    zone.add(".".join(labels[1:]) + tail, "TXT", '"almost"')
    zone.extra += [
        "m" * 62 + longest[63:],
        "v." + longest[3:],
        "b.a.*.odd.test.",
        "b.odd.test.",
        "*.odd.test.",
        "a.x.stars.odd.test.",
        "x.*.stars.odd.test.",
        "sp\\032acd.odd.test.",
        "\\255.odd.test.",
        "\\000.odd.test.",
        "\\000\\000.odd.test.",
    ]
    return zone


def big():
    zone = Zone("big.test.")
    for number in range(BIG_NAMES):
        zone.add(
            f"h{number * 7919 % BIG_NAMES:05d}.big.test.", "A", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        )
    return zone


def reverse():
    four, six = Zone("2.0.192.in-addr.arpa."), Zone("8.b.d.0.1.0.0.2.ip6.arpa.")
    for number in range(0, 256, 5):
        four.add(f"{number}.2.0.192.in-addr.arpa.", "PTR", f"host{number % 40}.basic.test.")
        digits = ".".join(reversed(f"{number * 65537:024x}"))
        six.add(f"{digits}.8.b.d.0.1.0.0.2.ip6.arpa.", "PTR", f"host{number % 40}.basic.test.")
    four.add("128/25.2.0.192.in-addr.arpa.", "NS", "ns1.basic.test.")
    four.add("131.2.0.192.in-addr.arpa.", "CNAME", "131.128/25.2.0.192.in-addr.arpa.")
    return [four, six]


def grown(apex, draw):
    """A zone drawn at random from few labels, so that names meet: wildcards below delegations, DNAMEs over data, ENT
    chains."""
    zone = Zone(apex)
    labels = ["a", "b", "c", "d", "*", "e1", "ns", "_x"]

    def name():
        return ".".join(draw.choices(labels, k=draw.choices((1, 2, 3, 4, 6), (6, 6, 4, 2, 1))[0])) + "." + apex

    owners = []
    for _ in range(draw.randrange(8, 90)):
        owner = name() if not owners or draw.random() < 0.7 else draw.choice(labels) + "." + draw.choice(owners)
        if len(dns_wire.encode_name(owner)) > 255:
            continue
        owners.append(owner)
        rtype = draw.choices(
            ("A", "AAAA", "TXT", "MX", "CNAME", "NS", "NS+DS", "DNAME", "SRV", "DS"),
            (30, 10, 15, 8, 10, 10, 6, 2, 4, 1),
        )[0]
        target = draw.choice(owners) if draw.random() < 0.6 else name()
        ttl = draw.choice((60, 300, 3600))
        number = draw.randrange(250)
        if rtype == "NS+DS":
            if zone.add(owner, "NS", target, ttl):
                zone.add(owner, "DS", f"{number} 13 2 " + f"{number:02x}" * 32, ttl)
            continue
        content = {
            "A": f"192.0.2.{number}",
            "AAAA": f"2001:db8::{number:x}",
            "TXT": f'"text {number}"',
            "MX": f"{number} {target}",
            "SRV": f"{number} 1 80 {target}",
            "DS": f"{number} 13 2 " + "44" * 32,
        }.get(rtype, target)
        zone.add(owner, rtype, content, ttl)
    return zone


def tame_zones(count):
    """Zones whose every answer, signed or not, is the same on servers that follow the standards."""
    draw = random.Random(SEED)
    return [
        basic(),
        *nested(),
        *chains(),
        odd(),
        big(),
        *reverse(),
        *(grown(f"grown{number}.test.", draw).tame() for number in range(count)),
    ]


def unruly_zones(count):
    """Zones whose unsigned answers are the same; their chains are right in one server only and are verified instead."""
    draw = random.Random(SEED + 1)
    return [unruly(), *(grown(f"unruly{number}.test.", draw).without_hidden_ds() for number in range(count))]


# --- questions ---

_COMMON = ["A", "AAAA", "TXT", "MX", "NS", "SOA", "CNAME", "ANY", "DS", "SRV", "DNSKEY", "PTR"]
_ODD = [
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "RRSIG",
    "DNAME",
    "CAA",
    "HTTPS",
    "SVCB",
    "LOC",
    "NAPTR",
    "TLSA",
    "CDS",
    "CDNSKEY",
    "TYPE65280",
    "TYPE1234",
    "HINFO",
    "SPF",
    "RP",
    "SSHFP",
    "ALIAS",
    "LUA",
    "AFSDB",
    "KX",
    "TYPE0",
    "TYPE128",
    "TYPE65535",
]
# A question of its own meaning, not about data: ones PowerDNS answers by itself would only compare it with itself.


def split(owner):
    """The first label and the rest, escapes respected."""
    at = 0
    while owner[at] != ".":
        at += 2 if owner[at] == "\\" else 1
    return owner[:at], owner[at + 1 :] or "."


def random_case(name, draw):
    return "".join(c.upper() if draw.random() < 0.5 else c for c in name)


def beside(zone, owner, draw):
    """A name near `owner`: itself, above, below, before or after it in the zone's order."""
    label, rest = split(owner)
    kind = draw.randrange(12)
    if kind < 4 or not rest.endswith(zone.apex):
        return owner
    if kind == 4:
        return rest
    if kind == 5:
        return "x." + owner
    if kind == 6:
        return "y.x." + owner
    if kind == 7:
        return label[:-1] + "." + rest if len(label) > 1 and "\\" not in label else "0." + rest
    if kind == 8:
        return (label + "a" if len(label) < 60 else "zz") + "." + rest
    if kind == 9:
        return "*." + rest
    if kind == 10:
        return draw.choice(("!", "zzzz", "A", "-", "\\255")) + "." + rest
    return random_case(owner, draw) if "\\" not in owner else owner


def questions(zones, count, draw):
    """About `count` questions, the small zones asked as often as the large."""
    asked = []
    owners = {zone.apex: list(zone.nodes) + zone.extra * 3 for zone in zones}
    for _ in range(count):
        zone = draw.choice(zones)
        names = owners[zone.apex]
        owner = draw.choice(names)
        name = beside(zone, owner, draw)
        try:
            if len(dns_wire.encode_name(name)) > 255:
                name = owner
        except (IndexError, ValueError):
            name = owner
        present = list(zone.nodes.get(name, ()))
        if present and draw.random() < 0.4:
            rtype = draw.choice(present)
        else:
            rtype = draw.choice(_COMMON) if draw.random() < 0.8 else draw.choice(_ODD)
        do = draw.random() < 0.6
        asked.append(
            dns_wire.Question(name, dns_wire.type_number(rtype), do, do or draw.random() < 0.7, draw.random() < 0.1)
        )
    asked += [
        dns_wire.Question(name, 1, do)
        for do in (False, True)
        for name in ("unknown.example.", "test.", ".", "xbasic.test.", "arpa.", "com.")
    ]
    return asked
