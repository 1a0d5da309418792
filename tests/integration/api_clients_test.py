#!/usr/bin/env python3
"""Clients of PowerDNS's API against Navigator's: the same requests as to a real pdns_server, lego and certbot with pebble as
the CA, and the request sequences of octoDNS and external-dns.

Needs beside what stack.py needs: pdns-backend-sqlite3, lego, certbot with python3-certbot-dns-rfc2136, pebble, openssl.
"""
import http.client
import json
import os
import pathlib
import shutil
import ssl
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import daemons
import powerdns_server
import stack

KEY = "a-key-of-many-letters"
ROOT = "/api/v1/servers/localhost"


class Api:
    """PowerDNS's API at a port of loopback."""

    def __init__(self, port, key=KEY):
        self.port = port
        self.key = key

    def call(self, method, target, body=None, key=True, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = dict(headers or {})
            if key:
                sent["X-API-Key"] = self.key if key is True else key
            text = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, target, body=text, headers=sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = (answer.getheader("Content-Type") or "").startswith("application/json")
            return answer.status, json.loads(text) if is_json else text
        finally:
            connection.close()

    def good(self, method, target, body=None):
        status, answer = self.call(method, ROOT + target, body)
        assert status // 100 == 2, f"{method} {target}: {status} {answer}"
        return answer


class ClientCase(stack.StackCase):
    """A stack whose API listens on loopback with a key."""

    settings = {"primary": "yes", "secondary": "yes"}

    def setUp(self):
        self.port = daemons.free_port()
        key_file = os.path.join(self.folder_for_key(), "key")
        with open(key_file, "w", encoding="utf-8") as file:
            file.write(KEY + "\n")
        super().setUp()
        # The settings of the stack name the unix socket only.
        with open(self.stack.config, encoding="utf-8") as file:
            text = file.read()
        text = text.replace(f"api: {{ unix: {self.stack.api} }}",
                            f"api: {{ unix: {self.stack.api}, listen: \"127.0.0.1:{self.port}\", key_file: {key_file} }}")
        with open(self.stack.config, "w", encoding="utf-8") as file:
            file.write(text)
        self.api = Api(self.port)
        self.stack.start_navigator()

    def folder_for_key(self):
        folder = daemons.Folder(prefix="navigator-key-")
        self.addCleanup(folder.remove)
        return folder.folder

    def make_zone(self, name="example.test", **more):
        body = {"name": name + ".", "kind": "Native", "nameservers": [f"ns1.{name}."], **more}
        return self.api.good("POST", "/zones", body)

    def soon(self, name, rtype, wanted):
        daemons.wait_for(f"{name} {rtype} is {wanted}", lambda: self.stack.short(name, rtype) == sorted(wanted))


def shape(value):
    """Keys and kinds of values; of a list the different shapes in it."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    return type(value).__name__


# (method, target, body): one history of a server, in order. What a step leaves behind the next one meets.
def history():
    zone = ROOT + "/zones/a.test."
    yield "GET", "/api", None
    yield "GET", "/api/v1", None
    yield "GET", "/api/v1/servers", None
    yield "GET", "/api/v1/servers/other", None
    yield "GET", ROOT + "/zones", None
    create = {"name": "a.test.", "kind": "Native", "nameservers": ["ns1.a.test.", "ns2.a.test."]}
    yield "POST", ROOT + "/zones", create
    yield "POST", ROOT + "/zones", create
    yield "POST", ROOT + "/zones", {"name": "slave.test.", "kind": "Slave", "masters": ["127.0.0.9", "[::1]:5300"]}
    yield "POST", ROOT + "/zones", {"name": "text.test.", "kind": "Master", "account": "me", "zone":
                                    "text.test. 60 IN SOA a. b. 5 1 2 3 4\ntext.test. 60 IN NS ns1.text.test.\n"}
    yield "POST", ROOT + "/zones", {"name": "signed.test.", "kind": "Native", "nameservers": ["ns1.a.test."], "dnssec": True,
                                    "nsec3param": "1 0 0 -", "api_rectify": True, "soa_edit_api": "INCREASE"}
    yield "POST", ROOT + "/zones?rrsets=false", {"name": "0/25.2.0.192.in-addr.arpa.", "kind": "Native",
                                                 "nameservers": ["ns1.a.test."]}
    yield "GET", ROOT + "/zones/0=2F25.2.0.192.in-addr.arpa.?rrsets=false", None
    for query in ("", "?dnssec=false", "?zone=a.test", "?zone=a.test.", "?zone=nope.test."):
        yield "GET", ROOT + "/zones" + query, None
    for target in ("a.test", "a.test.?rrsets=false", "nope.test.", "A.test.", "a.test.?rrset_name=a.test.&rrset_type=NS",
                   "a..test.", "slave.test.", "signed.test."):
        yield "GET", ROOT + "/zones/" + target, None
    for change in changes():
        yield "PATCH", zone, {"rrsets": change}
    yield "PATCH", ROOT + "/zones/nope.test.", {"rrsets": []}
    yield "PATCH", zone, {}
    yield "PATCH", zone, "["
    yield "GET", zone, None
    for body in ({"kind": "Master", "account": "acc", "soa_edit_api": "EPOCH", "masters": ["192.0.2.4"]}, {}, "{", [],
                 {"kind": "Native"}):
        yield "PUT", zone, body
        yield "GET", zone + "?rrsets=false", None
    yield "PUT", ROOT + "/zones/nope.test.", {"kind": "Native"}
    yield "PUT", ROOT + "/zones/slave.test.", {"masters": ["x"]}
    yield "GET", zone + "/export", None
    for name in ("a.test.", "nope.test."):
        yield "PUT", f"{ROOT}/zones/{name}/rectify", None
    yield "PUT", ROOT + "/zones/signed.test./axfr-retrieve", None
    yield "PUT", ROOT + "/zones/nope.test./notify", None
    yield from metadata_history(zone + "/metadata")
    yield from key_history()
    for query in ("q=*a.test*&max=50", "q=www.a.test", "q=a&max=0", "", "q=*192.0.2.1*&object_type=record",
                  "q=*a.test*&object_type=zone", "q=*x*&object_type=foo"):
        yield "GET", ROOT + "/search-data?" + query, None
    for query in ("?domain=a.test.", "?domain=a.test", ""):
        yield "PUT", ROOT + "/cache/flush" + query, None
    yield "GET", ROOT + "/statistics?statistic=uptime", None
    yield "GET", ROOT + "/statistics?statistic=nope", None
    yield "POST", ROOT + "/autoprimaries", {"ip": "192.0.2.4", "nameserver": "ns.x.", "account": ""}
    yield "GET", ROOT + "/autoprimaries", None
    yield "DELETE", ROOT + "/autoprimaries/192.0.2.4/ns.x.", None
    for _ in range(2):
        yield "DELETE", zone, None
    yield "GET", zone, None


# Zones that cannot be made. PowerDNS leaves some of them behind half made, so each has a name of its own.
def bad_zones():
    bodies = ("{", "", [], {"kind": "Native"}, {"name": "b.test", "kind": "Native"}, {"name": "NAME"},
              {"name": "NAME", "kind": 5}, {"name": "NAME", "kind": "Native", "nameservers": "x"},
              {"name": "NAME", "kind": "Native", "nameservers": [5]},
              {"name": "NAME", "kind": "Native", "nameservers": ["ns1.a.test"]},
              {"name": "NAME", "kind": "Native", "nameservers": ["ns1."],
               "rrsets": [{"name": "NAME", "type": "NS", "ttl": 60, "records": [{"content": "ns2."}]}]},
              {"name": "NAME", "kind": "Native", "zone": "NAME 60 IN SOA a. b. 5 1 2 3 4\n", "rrsets": []},
              {"name": "NAME", "kind": "Native", "nsec3param": "1 0 0 -", "nameservers": ["ns1."]},
              {"name": "NAME", "kind": "Slave", "masters": ["x"]},
              {"name": "NAME", "kind": "Native", "zone": "@ 60 IN SOA a. b. 5 1 2 3 4\nbroken line"},
              {"name": "NAME", "kind": "Slave", "master_tsig_key_ids": ["nokey."]},
              {"name": "NAME", "kind": "Native", "nameservers": ["ns1."],
               "rrsets": [{"name": "NAME", "type": "CNAME", "ttl": 60, "records": [{"content": "x."}]}]})
    for number, body in enumerate(bodies):
        text = body if isinstance(body, str) else json.dumps(body)
        yield text.replace("NAME", f"bad{number}.test.")


def rrset(name, rtype, *contents, ttl=300, change="REPLACE", **more):
    return {"name": name, "type": rtype, "ttl": ttl, "changetype": change,
            "records": [{"content": content, "disabled": False} for content in contents], **more}


def changes():
    yield [rrset("www.a.test.", "A", "192.0.2.1", "192.0.2.2")]
    yield [rrset("www.a.test.", "A", "192.0.2.1", change="replace")]
    yield [rrset("txt.a.test.", "TXT", "unquoted")]
    yield [rrset("txt.a.test.", "TXT", '"quoted text"')]
    yield [rrset("c.a.test.", "CNAME", "www.a.test")]
    yield [rrset("c.a.test.", "CNAME", "www.a.test.")]
    yield [rrset("c.a.test.", "A", "192.0.2.1")]
    yield [rrset("www.a.test.", "CNAME", "www2.a.test.")]
    yield [rrset("www.a.test", "A", "192.0.2.1")]
    yield [rrset("www.b.test.", "A", "192.0.2.1")]
    yield [{"name": "www.a.test.", "type": "A", "changetype": "REPLACE", "records": [{"content": "192.0.2.1"}]}]
    yield [rrset("www.a.test.", "A", "1.1.1")]
    yield [rrset("www.a.test.", "XYZ", "1.1.1.1")]
    yield [rrset("www.a.test.", "A", "1.1.1.1", change="FOO")]
    yield [{"name": "www.a.test.", "type": "A", "ttl": 300, "records": [{"content": "192.0.2.1"}]}]
    yield [{"name": "www.a.test.", "type": "A", "ttl": 300, "changetype": "REPLACE"}]
    yield [{"type": "A", "ttl": 300, "changetype": "REPLACE", "records": []}]
    yield [rrset("dup.a.test.", "A", "192.0.2.1", "192.0.2.1")]
    yield [rrset("e.a.test.", "A", "192.0.2.1"), rrset("e.a.test.", "A", "192.0.2.2")]
    yield [rrset("gone.a.test.", "A"), {"name": "nothere.a.test.", "type": "A", "changetype": "DELETE"}]
    yield [rrset("m.a.test.", "CNAME", "a.", "b.")]
    yield [rrset("sub.a.test.", "SOA", "a. b. 7 1 2 3 4")]
    yield [rrset("sw.a.test.", "A", "192.0.2.1")]
    yield [{"name": "sw.a.test.", "type": "A", "changetype": "DELETE"}, rrset("sw.a.test.", "CNAME", "x.")]
    yield [rrset("*.a.test.", "A", "192.0.2.1"), rrset("a.test.", "MX", "10 mail.a.test.")]
    yield [rrset("al.a.test.", "ALIAS", "x."), rrset("t.a.test.", "TYPE65280", "\\# 2 0a0b")]
    yield [rrset("x.a.test.", "A", "192.0.2.1", ttl="60")]
    yield []


def metadata_history(target):
    yield "GET", target, None
    yield "GET", target + "/ALLOW-AXFR-FROM", None
    yield "POST", target, {"kind": "ALLOW-AXFR-FROM", "metadata": ["AUTO-NS"]}
    yield "PUT", target + "/ALLOW-AXFR-FROM", {"metadata": ["192.0.2.4"]}
    yield "POST", target, {"kind": "ALLOW-AXFR-FROM", "metadata": ["192.0.2.5"]}
    for kind in ("X-FOO", "FOO", "PRESIGNED", "NSEC3PARAM", "SOA-EDIT-API"):
        yield "PUT", target + "/" + kind, {"metadata": ["1"]}
        yield "GET", target + "/" + kind, None
        yield "DELETE", target + "/" + kind, None
    for body in ({"metadata": []}, {"kind": "X-A", "metadata": "s"}, "["):
        yield "POST", target, body
    yield "PUT", target + "/X-FOO", {}
    yield "GET", ROOT + "/zones/nope.test./metadata", None
    yield "GET", target, None


def key_history():
    keys = ROOT + "/zones/signed.test./cryptokeys"
    private = ("Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"
               "PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n")
    yield "GET", keys, None
    yield "GET", keys + "/1", None
    yield "PUT", keys + "/1", {"active": False}
    yield "PUT", keys + "/1", {}
    for missing in ("GET", "DELETE"):
        yield missing, keys + "/999", None
    for body in ({"keytype": "foo", "active": True}, {"active": True}, {"keytype": "zsk", "algorithm": "nope"},
                 {"keytype": "zsk", "algorithm": 8}, {"keytype": "csk", "bits": 12, "algorithm": 13},
                 {"keytype": "csk", "active": True, "privatekey": "foo"},
                 {"keytype": "csk", "active": True, "content": private},
                 {"keytype": "zsk", "algorithm": "rsasha256", "bits": 2048, "active": True}):
        yield "POST", keys, body
    yield "GET", keys, None
    yield "GET", ROOT + "/zones/nope.test./cryptokeys", None
    tsig = ROOT + "/tsigkeys"
    yield "GET", tsig, None
    for body in ({"name": "k1", "algorithm": "hmac-sha256", "key": "Zm9v"}, {"name": "k1", "algorithm": "hmac-sha256"},
                 {"name": "k2", "algorithm": "hmac-sha512"}, {"name": "k3", "algorithm": "hmac-foo"},
                 {"name": "k3", "algorithm": "hmac-md5", "key": "!!!"}, {"name": "k4"}):
        yield "POST", tsig, body
    yield "GET", tsig, None
    for name in ("k1.", "k1", "none."):
        yield "GET", tsig + "/" + name, None
    yield "PUT", tsig + "/k1.", {"key": "YmFy"}
    yield "PUT", tsig + "/k1.", {"name": "k5"}
    yield "PUT", tsig + "/none.", {"key": "YmFy"}
    yield "POST", ROOT + "/zones", {"name": "tsig.test.", "kind": "Slave", "masters": ["127.0.0.9"],
                                    "slave_tsig_key_ids": ["k2."]}
    yield "GET", ROOT + "/zones/tsig.test.", None
    for _ in range(2):
        yield "DELETE", tsig + "/k5.", None


# Values that are one server's own.
OWN = {"serial", "edited_serial", "version", "navigator_version", "count", "value", "modified_at", "last_check", "key",
       "dnskey", "ds", "privatekey", "error"}


def comparable(value):
    """What must be equal on both sides; lists of objects in an order of their own."""
    if isinstance(value, dict):
        out = {key: comparable(item) for key, item in value.items() if key not in OWN}
        if out.get("type") == "SOA":
            out.pop("records", None)
            out.pop("content", None)
        return out
    if isinstance(value, list):
        # A new zone's SOA names its first name server here, and "a.misconfigured.dns.server.invalid" there; so a search by
        # content finds other SOA records.
        found = [one for one in value
                 if not (isinstance(one, dict) and one.get("object_type") == "record" and one.get("type") == "SOA")]
        return sorted((comparable(item) for item in found), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def apart(ours, theirs):
    """Of two lists what only one has; anything else as it is."""
    if not (isinstance(ours, list) and isinstance(theirs, list)):
        return ours, theirs
    return [one for one in ours if one not in theirs], [one for one in theirs if one not in ours]


class SameAsPowerDns(ClientCase):
    """One history of requests to both servers: same codes, same shapes, same values but for what is a server's own."""

    def setUp(self):
        super().setUp()
        folder = self.stack.files
        database = folder.path("reference.db")
        powerdns_server.create_database(database).close()
        port = daemons.free_port()
        self.reference_server = powerdns_server.PowerDns(
            folder, "reference", powerdns_server.gsqlite3(database),
            {"webserver": "yes", "webserver-address": "127.0.0.1", "webserver-port": port, "api": "yes", "api-key": KEY,
             "secondary": "yes", "primary": "yes"})
        self.addCleanup(self.reference_server.stop)
        self.reference_server.start()
        self.reference = Api(port)

    def test_the_same_history_has_the_same_answers(self):
        different = []
        steps = 0
        for method, target, body in history():
            steps += 1
            wanted_status, wanted = self.reference.call(method, target, body)
            status, answer = self.api.call(method, target, body)
            step = f"{method} {target} {json.dumps(body)[:160]}"
            if status != wanted_status:
                different.append(f"{step}: {status} {answer}, PowerDNS {wanted_status} {wanted}")
                continue
            if isinstance(answer, dict):
                answer.pop("navigator_version", None)
            if isinstance(answer, list) and answer and isinstance(answer[0], dict):
                for item in answer:
                    item.pop("navigator_version", None)
            if isinstance(wanted, str):
                # Where there is no route at all, Navigator says so in its own words.
                if status >= 400 and answer != wanted and "servers/other" not in target:
                    different.append(f"{step}: {answer!r}, PowerDNS {wanted!r}")
                continue
            if shape(answer) != shape(wanted):
                different.append(f"{step}: shape {json.dumps(answer)[:600]}\n    PowerDNS {json.dumps(wanted)[:600]}")
            elif comparable(answer) != comparable(wanted):
                ours, theirs = apart(comparable(answer), comparable(wanted))
                different.append(f"{step}: value {json.dumps(ours)[:600]}\n    PowerDNS {json.dumps(theirs)[:600]}")
        self.assertGreater(steps, 100)
        self.assertEqual(different, [], "\n" + "\n".join(different))

    def test_a_zone_that_cannot_be_is_refused_and_leaves_nothing_behind(self):
        for body in bad_zones():
            wanted = self.reference.call("POST", ROOT + "/zones", body)
            status, answer = self.api.call("POST", ROOT + "/zones", body)
            self.assertEqual((status, shape(answer)), (wanted[0], shape(wanted[1])), (body, answer, wanted))
        self.assertEqual(self.api.good("GET", "/zones"), [])

    def test_without_the_right_key_there_is_nothing(self):
        for key in (False, "wrong", KEY[:-1] + "x", KEY + "x"):
            for method, target in (("GET", ROOT + "/zones"), ("POST", ROOT + "/zones"), ("GET", "/api")):
                wanted = self.reference.call(method, target, "{}", key=key)
                self.assertEqual(self.api.call(method, target, "{}", key=key), wanted, (method, target, key))
                self.assertEqual(wanted[0], 401)
        for method, target in (("GET", "/v1/zones"), ("PUT", "/v1/zones/a.test/import"), ("GET", "/v1/status")):
            self.assertEqual(self.api.call(method, target)[0], 403, "the key opens PowerDNS's API and nothing else")

    def test_a_serial_rises_as_soa_edit_api_says(self):
        for kind in ("DEFAULT", "INCREASE", "EPOCH", "SOA-EDIT-INCREASE"):
            name = f"{kind.lower()}.test."
            body = {"name": name, "kind": "Native", "nameservers": ["ns1."], "soa_edit_api": kind}
            seen = []
            for api in (self.reference, self.api):
                serials = [api.good("POST", "/zones", body)["serial"]]
                for last in (1, 2):
                    api.good("PATCH", f"/zones/{name}", {"rrsets": [rrset("www." + name, "A", f"192.0.2.{last}")]})
                    serials.append(api.good("GET", f"/zones/{name}")["serial"])
                seen.append(serials)
            reference, ours = seen
            self.assertEqual(reference[0] // 100, ours[0] // 100, (kind, seen))
            self.assertEqual([b > a for a, b in zip(ours, ours[1:])], [True, True], (kind, seen))
            self.assertLessEqual(abs(ours[-1] - reference[-1]), 5, (kind, seen))


class Refusals(ClientCase):
    def test_what_navigator_does_not_store_is_refused_aloud(self):
        self.make_zone()
        for body in ({"rrsets": [{"name": "x.example.test.", "type": "A", "ttl": 60, "changetype": "REPLACE",
                                  "records": [{"content": "192.0.2.1", "disabled": True}]}]},
                     {"rrsets": [rrset("x.example.test.", "A", "192.0.2.1",
                                       comments=[{"content": "hello", "account": "me"}])]},
                     {"rrsets": [{"name": "example.test.", "type": "NS", "changetype": "DELETE"}]},
                     {"rrsets": [{"name": "example.test.", "type": "SOA", "changetype": "DELETE"}]}):
            status, answer = self.api.call("PATCH", ROOT + "/zones/example.test.", body)
            self.assertEqual(status, 422, answer)
            self.assertTrue(answer["error"])
        status, answer = self.api.call("POST", ROOT + "/zones", {"name": "cat.test.", "kind": "Producer", "nameservers": ["a."]})
        self.assertEqual((status, "catalog" in answer["error"]), (422, True))

    def test_a_patch_is_all_or_nothing(self):
        self.make_zone()
        status, _ = self.api.call("PATCH", ROOT + "/zones/example.test.",
                                  {"rrsets": [rrset("a.example.test.", "A", "192.0.2.1"),
                                              rrset("b.example.test.", "A", "192.0.2")]})
        self.assertEqual(status, 422)
        self.assertEqual(self.api.good("GET", "/zones/example.test.?rrset_name=a.example.test.")["rrsets"], [])

    def test_bodies_of_strangers_are_small(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.addCleanup(connection.close)
        connection.putrequest("PUT", "/v1/zones/example.test/import")
        connection.putheader("Content-Length", str(200 << 20))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413, "only known peers may send a whole zone")


class PowerDnsBehind(ClientCase):
    def test_notify_and_retrieve_reach_pdns_server(self):
        self.make_zone(kind="Master")
        self.api.good("POST", "/zones", {"name": "slave.test.", "kind": "Slave", "masters": ["127.0.0.1:1"]})
        self.stack.start_pdns()
        self.assertEqual(self.api.good("PUT", "/zones/example.test./notify"), {"result": "Notification queued"})
        answer = self.api.good("PUT", "/zones/slave.test./axfr-retrieve")
        self.assertIn("Added retrieval request for 'slave.test.'", answer["result"])
        self.assertEqual(self.api.good("PUT", "/cache/flush?domain=example.test.")["result"], "Flushed cache.")


class OctoDns(ClientCase):
    """The requests of octodns-powerdns: list, create what is missing, patch with replace and delete."""

    def apply(self, zone, mods, nameservers):
        status, _ = self.api.call("PATCH", f"{ROOT}/zones/{zone}", {"rrsets": mods})
        if status in (404, 422):
            body = {"name": zone, "kind": "Master", "masters": [], "nameservers": nameservers, "rrsets": mods,
                    "soa_edit_api": "INCEPTION-INCREMENT", "serial": 0}
            self.api.good("POST", "/zones", body)
        self.api.good("PUT", f"/zones/{zone}/notify")

    def test_a_zone_is_created_and_changed(self):
        self.make_zone("other.test")
        self.stack.start_pdns()
        zone = "octo.test."
        self.assertEqual(self.api.call("GET", f"{ROOT}/zones/{zone}")[0], 404)
        self.assertTrue(all(part.isdigit() for part in self.api.good("GET", "")["version"].split(".")))
        self.apply(zone, [rrset("octo.test.", "NS", "ns1.octo.test.", "ns2.octo.test.", ttl=3600),
                          rrset("www.octo.test.", "A", "192.0.2.1", "192.0.2.2", ttl=60),
                          rrset("octo.test.", "CAA", '0 issue "ca.example.net"'),
                          rrset("octo.test.", "TXT", '"v=spf1 -all"', '"k=v; p=a\\"b"')], [])
        self.soon("www.octo.test", "A", ["192.0.2.1", "192.0.2.2"])
        self.assertEqual(self.stack.short("octo.test", "TXT"), sorted(['"v=spf1 -all"', '"k=v; p=a\\"b"']))
        records = {(one["name"], one["type"]): one for one in self.api.good("GET", f"/zones/{zone}")["rrsets"]}
        self.assertEqual([one["content"] for one in records["octo.test.", "NS"]["records"]],
                         ["ns1.octo.test.", "ns2.octo.test."])
        self.apply(zone, [rrset("www.octo.test.", "A", "192.0.2.3", ttl=60), rrset("octo.test.", "CAA", change="DELETE")], [])
        self.soon("www.octo.test", "A", ["192.0.2.3"])
        self.soon("octo.test", "CAA", [])
        self.api.good("PUT", f"/zones/{zone}", {"dnssec": True})
        self.api.good("PUT", f"/zones/{zone}/metadata/ALSO-NOTIFY", {"metadata": ["192.0.2.9"]})
        key = self.api.good("GET", f"/zones/{zone}/cryptokeys")[0]
        def published():
            return [line for line in self.stack.short("octo.test", "DNSKEY") if "".join(line.split()) ==
                    "".join(key["dnskey"].split())]
        daemons.wait_for("the DNSKEY that the API tells", published)


class ExternalDns(ClientCase):
    """The requests of external-dns's pdns provider, ownership records included."""

    def test_endpoints_come_and_go(self):
        self.make_zone()
        self.stack.start_pdns()
        zones = self.api.good("GET", "/zones")
        self.assertEqual([zone["id"] for zone in zones], ["example.test."])
        owner = '"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/default/web"'
        def patch(*mods):
            self.api.good("PATCH", "/zones/example.test.", {"id": "example.test.", "name": "example.test.",
                                                            "type": "Zone", "kind": "Native", "rrsets": list(mods)})
        # Names and CNAME targets with a final dot, TXT quoted, "set-ptr" false: as the provider writes them.
        def record(name, rtype, *targets, change="REPLACE"):
            return {"name": name, "type": rtype, "ttl": 300, "changetype": change,
                    "records": [{"content": target, "disabled": False, "set-ptr": False} for target in targets]}
        patch(record("web.example.test.", "A", "192.0.2.1"), record("a-web.example.test.", "TXT", owner),
              record("alias.example.test.", "CNAME", "web.example.test."))
        self.soon("web.example.test", "A", ["192.0.2.1"])
        self.assertEqual(self.stack.short("a-web.example.test", "TXT"), [owner])
        listed = self.api.good("GET", "/zones/example.test.")["rrsets"]
        self.assertIn(owner, [item["content"] for one in listed for item in one["records"]])
        patch(record("web.example.test.", "A", "192.0.2.7", "192.0.2.8"))
        self.soon("web.example.test", "A", ["192.0.2.7", "192.0.2.8"])
        patch(record("web.example.test.", "A", change="DELETE"), record("a-web.example.test.", "TXT", change="DELETE"),
              record("alias.example.test.", "CNAME", change="DELETE"))
        daemons.wait_for("the name is gone", lambda: "NXDOMAIN" in self.stack.dig("web.example.test"))
        left = {(one["name"], one["type"]) for one in self.api.good("GET", "/zones/example.test.")["rrsets"]}
        self.assertEqual(left, {("example.test.", "SOA"), ("example.test.", "NS")})


class Acme(ClientCase):
    """lego through the API, certbot through RFC 2136, pebble as the CA that asks our pdns_server."""

    settings = {}  # a pdns_server that is nobody's primary: the usual one

    def setUp(self):
        super().setUp()
        self.make_zone(soa_edit_api="DEFAULT")
        self.stack.start_pdns()
        self.make_tls()
        self.ca, management = daemons.free_port(), daemons.free_port()
        config = self.stack.write("pebble.json", json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.ca}", "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": self.stack.path("pebble.pem"), "privateKey": self.stack.path("pebble.key"), "httpPort": 5002,
            "tlsPort": 5001}}))
        pebble = daemons.Daemon(["pebble", "-config", config, "-dnsserver", f"127.0.0.1:{self.stack.port}"],
                                self.stack.path("pebble.log"),
                                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"})
        self.addCleanup(pebble.stop)

        def ready():
            pebble.check()
            connection = http.client.HTTPSConnection("localhost", self.ca, timeout=5, context=self.trust())
            connection.request("GET", "/dir")
            return connection.getresponse().status == 200

        daemons.wait_for("pebble answers", ready)

    def trust(self):
        return ssl.create_default_context(cafile=self.stack.path("ca.pem"))

    def make_tls(self):
        def openssl(*arguments):
            daemons.run("openssl", *arguments)
        path = self.stack.path
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        openssl("req", "-x509", *curve, "-keyout", path("ca.key"), "-out", path("ca.pem"), "-days", "2", "-subj", "/CN=Root")
        openssl("req", *curve, "-keyout", path("pebble.key"), "-out", path("pebble.csr"), "-subj", "/CN=localhost")
        names = self.stack.write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", path("pebble.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
                "-CAcreateserial", "-days", "2", "-extfile", names, "-out", path("pebble.pem"))

    def names_of(self, certificate):
        return daemons.run("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName").stdout

    @unittest.skipUnless(shutil.which("lego"), "lego is needed")
    def test_lego_gets_a_certificate_for_name_and_wildcard(self):
        before = self.api.good("GET", "/zones/example.test.?rrsets=false")["serial"]
        done = daemons.run("lego", "--accept-tos", "--path", self.stack.path("lego"), "--server",
                           f"https://localhost:{self.ca}/dir", "--email", "ops@example.test", "--dns", "pdns",
                           "--dns.disable-cp", "--dns.resolvers", f"127.0.0.1:{self.stack.port}", "--domains",
                           "example.test", "--domains", "*.example.test", "run", check=False, timeout=180,
                           env={"PDNS_API_URL": f"http://127.0.0.1:{self.port}", "PDNS_API_KEY": KEY,
                                "LEGO_CA_CERTIFICATES": self.stack.path("ca.pem"), "PDNS_TTL": "1"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.stack.log("pebble.log")[-3000:])
        names = self.names_of(self.stack.path("lego/certificates/example.test.crt"))
        self.assertIn("DNS:*.example.test", names)
        self.assertGreater(self.api.good("GET", "/zones/example.test.?rrsets=false")["serial"], before)
        left = self.api.good("GET", "/zones/example.test.?rrset_name=_acme-challenge.example.test.")["rrsets"]
        self.assertEqual(left, [], "lego cleans up")

    @unittest.skipUnless(shutil.which("certbot"), "certbot is needed")
    def test_certbot_gets_a_certificate_by_dns_update(self):
        secret = self.stack.command("tsig", "create", "certbot", "--algorithm", "hmac-sha512").stdout.strip()
        self.stack.command("metadata", "set", "example.test", "TSIG-ALLOW-DNSUPDATE", "certbot")
        self.stack.command("metadata", "set", "example.test", "ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")
        credentials = self.stack.write("rfc2136.ini", f"""\
dns_rfc2136_server = 127.0.0.1
dns_rfc2136_port = {self.stack.port}
dns_rfc2136_name = certbot.
dns_rfc2136_secret = {secret}
dns_rfc2136_algorithm = HMAC-SHA512
""")
        os.chmod(credentials, 0o600)
        folders = [f"--{kind}-dir={self.stack.path('certbot-' + kind)}" for kind in ("config", "work", "logs")]
        done = daemons.run("certbot", "certonly", "--non-interactive", "--agree-tos", "-m", "ops@example.test",
                           "--server", f"https://localhost:{self.ca}/dir", "--dns-rfc2136",
                           "--dns-rfc2136-credentials", credentials, "--dns-rfc2136-propagation-seconds", "1", "-d",
                           "bot.example.test", *folders, check=False, timeout=180,
                           env={"REQUESTS_CA_BUNDLE": self.stack.path("ca.pem")})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        names = self.names_of(self.stack.path("certbot-config/live/bot.example.test/cert.pem"))
        self.assertIn("DNS:bot.example.test", names)


if __name__ == "__main__":
    unittest.main(verbosity=2)
