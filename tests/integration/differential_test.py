#!/usr/bin/env python3
"""The same zones in PowerDNS's own gsqlite3 and in Navigator: every answer must be the same.

Needs: the binary named by NAVIGATOR; pdns-server, pdns-backend-remote, pdns-backend-sqlite3, pdns-tools, ldnsutils.
Two kinds of real pdns_server on loopback, all caches off, thousands of drawn questions and a transfer of each zone,
unsigned and signed in four ways with the same private keys, over each connector that the binary has. What may differ:
times and signature of an RRSIG, the case of names that an answer brings along.

SOVEREIGN_LONG=1 asks twenty times as many questions; QUESTIONS=N, SEED=N choose. Run one way with `differential_test.py
Differential.test_same_answers`.
"""
import dataclasses
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import denial  # noqa: E402
import differential_zones  # noqa: E402
import dns_wire  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns_server  # noqa: E402

LONG = os.environ.get("SOVEREIGN_LONG") == "1"
QUESTIONS = int(os.environ.get("QUESTIONS", "30000" if LONG else "800"))
SEED = int(os.environ.get("SEED", str(differential_zones.SEED)))
SHOWN = 12

COMMON = {
    **powerdns_server.CACHES_OFF,
    "allow-axfr-ips": "127.0.0.1",
    "dname-processing": "yes",
    "enable-lua-records": "yes",
    "default-ttl": 3600,
    "distributor-threads": 2,
}

# How a zone is signed: the metadata that say so.
WAYS = {
    "nsec": {},
    "nsec3": {"NSEC3PARAM": ["1 0 2 ab12"]},
    "opt-out": {"NSEC3PARAM": ["1 1 0 -"]},
    "narrow": {"NSEC3PARAM": ["1 0 1 cd"], "NSEC3NARROW": ["1"]},
}

# Not for transfers of the largest zone: over the unix connector they take time in proportion to the square of the zone
# (PowerDNS parses again what it has), and forms carry what JSON bodies do.
SMALL_ONLY = {"unix", "unix, zone cache on", "http, forms"}


class Pair:
    """The reference and one pdns_server a connector on one Navigator."""

    def __init__(self, folder):
        self.folder = folder
        http_port = daemons.free_port() if navigator_daemon.has_http() else None
        self.navigator = navigator_daemon.Navigator(folder, http_port=http_port)
        connectors = {
            "unix": (powerdns_server.unix(self.navigator.remote), {}),
            "unix, zone cache on": (powerdns_server.unix(self.navigator.remote), {"zone-cache-refresh-interval": 300}),
        }
        if http_port:
            connectors["http"] = (powerdns_server.http(http_port), {})
            connectors["http, forms"] = (powerdns_server.http_forms(http_port), {})
        if navigator_daemon.has_pipe():
            connectors["pipe"] = (powerdns_server.pipe(navigator_daemon.NAVIGATOR, self.navigator.remote), {})
        self.servers = {
            name: powerdns_server.PowerDns(folder, f"pdns-{number}", backend, {**COMMON, **settings})
            for number, (name, (backend, settings)) in enumerate(connectors.items())
        }
        path = folder.path("reference.db")
        self.database = powerdns_server.create_database(path, durable=False)
        self.reference = powerdns_server.PowerDns(folder, "reference", powerdns_server.gsqlite3(path), COMMON)

    def load(self, texts):
        """apex -> master file into both; Navigator through its API, the reference by pdnsutil."""
        for apex, text in texts.items():
            self.navigator.import_zone(apex, text)
            file = self.folder.write("zone", text)
            self.reference.pdnsutil("load-zone", apex, file)
        self.reference.pdnsutil("rectify-all-zones", "quiet")

    def start(self):
        self.reference.start()
        for server in self.servers.values():
            server.start()

    def close(self):
        for server in (self.reference, *self.servers.values()):
            server.stop()
        self.navigator.stop()
        self.database.close()

    def zone_id(self, apex):
        return self.database.execute("SELECT id FROM domains WHERE name = ?", [apex.rstrip(".")]).fetchone()[0]

    def secure(self, apexes):
        """Keys made by the reference's own pdnsutil, given to Navigator as PowerDNS gives them."""
        self.reference.pdnsutil("secure-zone", *apexes)
        with self.navigator.backend() as backend:
            for apex in apexes:
                keys = self.database.execute(
                    "SELECT flags, active, published, content FROM cryptokeys WHERE domain_id = ?", [self.zone_id(apex)]
                ).fetchall()
                assert keys, apex
                for flags, active, published, content in keys:
                    key = {"flags": flags, "active": bool(active), "published": bool(published), "content": content}
                    reply = backend.ask("addDomainKey", name=apex, key=key)
                    assert isinstance(reply["result"], int) and reply["result"] is not False, reply

    def set_metadata(self, apexes, kind, values):
        with self.navigator.backend() as backend:
            for apex in apexes:
                assert backend.ask("setDomainMetadata", name=apex, kind=kind, value=values) == {"result": True}
        for apex in apexes:
            zone = self.zone_id(apex)
            self.database.execute("DELETE FROM domainmetadata WHERE domain_id = ? AND kind = ?", [zone, kind])
            self.database.executemany(
                "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, ?, ?)",
                [(zone, kind, value) for value in values],
            )

    def sign_as(self, apexes, way):
        for kind in ("NSEC3PARAM", "NSEC3NARROW"):
            self.set_metadata(apexes, kind, WAYS[way].get(kind, []))
        self.reference.pdnsutil("rectify-all-zones", "quiet")


def presigned(folder):
    """apex -> text of zones signed beforehand, and the metadata that go with them. As PowerDNS stores a transfer of
    such a zone: without NSEC, NSEC3 and NSEC3PARAM, whose chain it makes anew from the names, but with their
    signatures."""
    draw = random.Random(SEED)
    texts, chains = {}, {}
    for apex, options in (("presigned-nsec.test.", []), ("presigned-nsec3.test.", ["-n", "-t", "3", "-s", "beef"])):
        zone = differential_zones.Zone(apex)
        differential_zones.delegations(zone)
        for number in range(30):
            zone.add(f"n{draw.randrange(1000)}.{apex}", draw.choice(("A", "A", "A")), f"192.0.2.{number}")
        zone.add(f"*.wild.{apex}", "A", "192.0.2.99")
        zone.add(f"a.ent.{apex}", "TXT", '"t"')
        unsigned = folder.write(apex + "zone", zone.text())
        keys = [
            daemons.run("ldns-keygen", "-a", "ECDSAP256SHA256", *ksk, apex, cwd=folder.folder).stdout.strip()
            for ksk in (["-k"], [])
        ]
        daemons.run(
            "ldns-signzone",
            *options,
            "-o",
            apex,
            "-f",
            unsigned + ".signed",
            unsigned,
            *(folder.path(key) for key in keys),
        )
        with open(unsigned + ".signed", encoding="utf-8") as file:
            lines = [line for line in file if line.strip() and not line.startswith(";")]
        texts[apex] = "".join(line for line in lines if line.split()[3] not in ("NSEC", "NSEC3", "NSEC3PARAM"))
        chains[apex] = {"NSEC3PARAM": ["1 0 3 beef"]} if options else {}
    return texts, chains


class Differential(unittest.TestCase):
    def setUp(self):
        self.folder = daemons.Folder(prefix="navigator-differential-")
        self.addCleanup(self.folder.remove)
        self.pair = Pair(self.folder)
        self.addCleanup(self.pair.close)
        self.count = 60 if LONG else 12
        self.unsteady = 0  # answers of the reference that it did not give again
        self.pair.navigator.start()

    def compare(self, label, questions, way=None):
        """The same answers, and `way` of signing given, proofs that hold."""
        begin = time.monotonic()
        expected = dns_wire.Asker(self.pair.reference.port).ask(questions)
        self.assertEqual(
            [question.text() for question, answer in zip(questions, expected) if answer is None],
            [],
            "the reference did not answer",
        )
        for name, server in self.pair.servers.items():
            with self.subTest(label, connector=name):
                found = dns_wire.Asker(server.port).ask(questions)
                wrong = [
                    f"{question.text()}\n- gsqlite3: {show(ours)}\n- navigator: {show(theirs)}"
                    for number, (question, ours, theirs) in enumerate(zip(questions, expected, found))
                    if comparable(ours, way) != comparable(theirs, way)
                    and not self.settled(expected, number, theirs, way, question)
                ]
                self.assertEqual(
                    len(wrong),
                    0,
                    f"{len(wrong)} of {len(questions)} answers differ, seed {SEED}:\n" + "\n".join(wrong[:SHOWN]),
                )
                if way is not None:
                    self.check_proofs(questions, found)
        print(
            f"  {label}: {len(questions)} questions, {len(self.pair.servers)} connectors, "
            f"{time.monotonic() - begin:.1f} s",
            flush=True,
        )

    def check_proofs(self, questions, answers):
        """Signed answers that say no are judged by themselves too: the reference is no judge of opt-out."""
        faults = []
        for question, answer in zip(questions, answers):
            answer = answer[2] if isinstance(answer, tuple) else answer
            signers = [record[4][10:] for record in answer.sections[1] if record[1] == dns_wire.TYPES["RRSIG"]]
            chained = question.rtype in (dns_wire.TYPES["RRSIG"], dns_wire.TYPES["NSEC"])  # there, and never listed
            if not question.do or answer.sections[0] or answer.rcode not in (0, 3) or not signers or chained:
                continue
            name = dns_wire.encode_name(question.name).lower()
            fault = denial.fault(name, question.rtype, answer.rcode, signers[0], answer.sections[1])
            if fault:
                faults.append(f"{question.text()}: {fault}\n{answer.text()}")
        self.assertEqual(
            len(faults), 0, f"{len(faults)} proofs do not hold, seed {SEED}:\n" + "\n".join(faults[:SHOWN])
        )

    def settled(self, expected, number, theirs, way, question):
        """Whether the reference, asked the very same alone, changes its mind and agrees: with several questions in
        flight it now and then answers a DS question as if the name were an apex. Navigator is never asked a second
        time."""
        again = dns_wire.Asker(self.pair.reference.port).ask([question])[0]
        agrees = comparable(again, way) == comparable(theirs, way)
        if agrees:
            self.unsteady += 1
            expected[number] = again
        self.assertLess(self.unsteady, 10, "the reference contradicts itself too often to be one")
        return agrees

    def compare_transfers(self, label, apexes):
        for apex in apexes:
            expected = dns_wire.transfer(self.pair.reference.port, apex)
            self.assertEqual(expected[0], 0, apex)
            for name, server in self.pair.servers.items():
                if apex == "big.test." and name in SMALL_ONLY:
                    continue
                with self.subTest(label, transfer=apex, connector=name):
                    found = dns_wire.transfer(server.port, apex)
                    self.assertEqual(found[0], expected[0])
                    self.assertEqual(difference(found[1], expected[1]), "")

    def test_same_answers(self):
        pair = self.pair
        zones = differential_zones.tame_zones(self.count)
        apexes = [zone.apex for zone in zones]
        pair.load({zone.apex: zone.text() for zone in zones})
        pair.start()
        draw = random.Random(SEED)
        self.compare("unsigned", differential_zones.questions(zones, QUESTIONS, draw))
        self.compare_transfers("unsigned", apexes)
        pair.secure(apexes)
        for way in WAYS:
            pair.sign_as(apexes, way)
            self.compare(way, differential_zones.questions(zones, QUESTIONS, draw), way)
            if way != "narrow":  # PowerDNS refuses to transfer one: there is no chain to send
                self.compare_transfers(way, apexes)

    def test_zones_with_hidden_data_are_the_same_unsigned_and_chain_what_is_not_hidden(self):
        """Where the reference keeps in its chains what does not belong there, the zone itself says what does."""
        zones = differential_zones.unruly_zones(self.count)
        apexes = [zone.apex for zone in zones]
        self.pair.load({zone.apex: zone.text() for zone in zones})
        self.pair.start()
        self.compare("unruly", differential_zones.questions(zones, QUESTIONS // 2, random.Random(SEED)))
        self.compare_transfers("unruly", apexes)
        self.pair.secure(apexes)
        asker = dns_wire.Asker(self.pair.servers["unix"].port, window=1)
        for zone in zones:
            with self.subTest(chain=zone.apex):
                found = walk(asker, dns_wire.encode_name(zone.apex))
                self.assertEqual(
                    [dns_wire.decode_name(name) for name in found],
                    [dns_wire.decode_name(name) for name in zone.chain()],
                )

    def test_same_answers_of_zones_signed_beforehand(self):
        texts, chains = presigned(self.folder)
        self.pair.load(texts)
        # pdnsutil orders only what it may sign: it gets keys for as long as that takes.
        self.pair.reference.pdnsutil("secure-zone", *texts)
        for apex in texts:
            for kind, values in chains[apex].items():
                self.pair.set_metadata([apex], kind, values)
        self.pair.reference.pdnsutil("rectify-all-zones", "quiet")
        self.pair.database.execute("DELETE FROM cryptokeys")
        # Nor are the owners of NSEC3 records names of the zone, though their signatures are stored there.
        self.pair.database.execute(
            "UPDATE records SET ordername = NULL WHERE type = 'RRSIG' AND content LIKE 'NSEC3 %'"
        )
        self.pair.set_metadata(list(texts), "PRESIGNED", ["1"])
        self.pair.start()
        zones = []
        for apex in texts:
            zone = differential_zones.Zone(apex)
            differential_zones.delegations(zone)
            for line in texts[apex].splitlines():
                owner, _, _, rtype, content = line.split(None, 4)
                # Hashed owners are no names: below one the reference makes up a record that nobody signed.
                if rtype != "SOA" and not content.startswith("NSEC3 "):
                    zone.add(owner, rtype, content)
            zones.append(zone)
        self.compare("presigned", differential_zones.questions(zones, max(QUESTIONS // 4, 200), random.Random(SEED)))
        self.compare_transfers("presigned", texts)


def walk(asker, apex):
    """The owners of a zone's NSEC records, each the next name of the one before, from the apex to the apex."""
    owners = []
    name = apex
    while name != apex or not owners:
        owners.append(name)
        answer = asker.ask([dns_wire.Question(dns_wire.decode_name(name), dns_wire.TYPES["NSEC"], True)])[0]
        records = [
            record
            for section in answer.sections[:2]
            for record in section
            if record[:2] == (name, dns_wire.TYPES["NSEC"])
        ]
        assert len(records) == 1 and len(owners) < 10000, f"{dns_wire.decode_name(name)}: {answer.text()}"
        name, _ = dns_wire.read_name(records[0][4], 0)
    return owners


def comparable(answer, way):
    """What must be equal: everything, except that an opt-out chain may leave out what another keeps (RFC 5155 7.1)."""
    if way != "opt-out" or answer is None:
        return answer
    if isinstance(answer, tuple):
        return (*answer[:2], comparable(answer[2], way))
    authority = tuple(
        record
        for record in answer.sections[1]
        if record[1] != dns_wire.TYPES["NSEC3"] and (record[1] != dns_wire.TYPES["RRSIG"] or record[4][:2] != b"\0\x32")
    )
    return dataclasses.replace(answer, sections=(answer.sections[0], authority, answer.sections[2]))


def show(answer):
    if isinstance(answer, tuple):
        return "over TCP: " + show(answer[2])
    return "no answer" if answer is None else answer.text()


def difference(found, expected):
    """Records of one side only, readable; empty when both are equal."""
    missing, surplus = list(expected), []
    left = {}
    for record in expected:
        left[record] = left.get(record, 0) + 1
    for record in found:
        if left.get(record, 0) > 0:
            left[record] -= 1
        else:
            surplus.append(record)
    missing = [record for record, count in left.items() if count > 0]
    lines = [
        f"{sign} {dns_wire.record_text(record)}"
        for sign, records in (("missing", missing), ("surplus", surplus))
        for record in records[:SHOWN]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    unittest.main(verbosity=2)
