"""One Navigator and one pdns_server with every cache an hour long, as most suites want them, and a test case around."""
import json
import os
import signal
import unittest

import daemons
import navigator_daemon
import powerdns_server

CACHES_LONG = {
    "cache-ttl": 3600,
    "query-cache-ttl": 3600,
    "negquery-cache-ttl": 3600,
    "zone-metadata-cache-ttl": 3600,
    "dnssec-key-cache-ttl": 3600,
    "zone-cache-refresh-interval": 2,
}


class Stack:
    """`settings` are added to pdns.conf, `extra` to navigator.yaml."""

    def __init__(self, settings=None, extra=""):
        self.files = daemons.Folder(prefix="navigator-pdns-")
        self.folder = self.files.folder
        self.path = self.files.path
        self.write = self.files.write
        self.log = self.files.log
        self.web_port = daemons.free_port()
        remote = self.files.path("remote.sock")
        self.server = powerdns_server.PowerDns(
            self.files,
            "pdns",
            powerdns_server.unix(remote, 5000),
            {
                "loglevel": 5,
                **CACHES_LONG,
                "allow-axfr-ips": "127.0.0.1",
                "dnsupdate": "yes",
                "allow-dnsupdate-from": "127.0.0.0/8",
                "webserver": "yes",
                "webserver-address": "127.0.0.1",
                "webserver-port": self.web_port,
                "api": "yes",
                "api-key": "test",
                **(settings or {}),
            },
        )
        self.daemon = navigator_daemon.Navigator(self.files, [self.server.control], extra=extra)
        self.port = self.server.port
        self.control = self.server.control
        self.api = self.daemon.api
        self.remote = self.daemon.remote
        self.config = self.daemon.config
        self.command = self.daemon.command
        self.start_navigator = self.daemon.start
        self.start_pdns = self.server.start
        self.stop_pdns = self.server.stop
        self.call = self.daemon.call
        self.pdnsutil = self.server.pdnsutil

    def stop_navigator(self, how=signal.SIGTERM):
        return self.daemon.stop(how)

    def close(self):
        self.server.stop()
        self.daemon.stop()
        self.files.remove()

    def put(self, name, rtype, contents, zone="example.test", ttl=3600):
        return self.daemon.put(zone, name, rtype, contents, ttl)

    def dig(self, name, rtype="A", *options, check=True):
        return daemons.run(
            "dig",
            "@127.0.0.1",
            "-p",
            str(self.port),
            "+noall",
            "+comments",
            "+answer",
            "+authority",
            "+additional",
            *options,
            name,
            rtype,
            check=check,
        ).stdout

    def short(self, name, rtype="A", *options):
        return sorted(
            daemons.run("dig", "@127.0.0.1", "-p", str(self.port), "+short", *options, name, rtype).stdout.split("\n")[
                :-1
            ]
        )

    def axfr(self, zone="example.test", *options):
        return daemons.run(
            "dig", "@127.0.0.1", "-p", str(self.port), "+noall", "+answer", "+onesoa", *options, zone, "AXFR"
        ).stdout

    def purged(self):
        """Returns once PowerDNS has heard of every change so far: what it caches from now on stays cached."""

        def settled():
            target = json.loads(self.call("GET", "/v1/status")[1])["powerdns"][0]
            return target["commands"] > 0 and target["waiting"] == 0

        daemons.wait_for("the purges so far", settled)

    def ask_backend(self, *lines):
        """Raw lines to the backend's socket; the replies, None where the connection was closed."""
        return navigator_daemon.ask_lines(self.remote, *lines)


def records(text):
    """Master-file lines as a set of (owner, ttl, type, rdata)."""
    out = set()
    for line in text.splitlines():
        if line.strip() and not line.startswith(";"):
            owner, ttl, _, rtype, rdata = line.split(None, 4)
            folded = rdata if rtype in ("TXT", "CAA") else rdata.lower()
            out.add(
                (
                    owner.lower(),
                    int(ttl),
                    rtype,
                    "".join(folded.split()) if rtype in ("DS", "DNSKEY", "RRSIG") else folded,
                )
            )
    return out


class StackCase(unittest.TestCase):
    """A test with a stack of its own, whose logs are shown when it fails."""

    settings = None
    extra = ""

    def setUp(self):
        self.stack = Stack(self.settings, self.extra)
        self.addCleanup(self.stack.close)
        self.addCleanup(self.show_logs)

    def show_logs(self):
        outcome = getattr(self, "_outcome", None)
        result = getattr(outcome, "result", None)
        failed = result is not None and any(test is self for test, _ in result.failures + result.errors)
        if failed or os.environ.get("SHOW_LOGS"):
            for name in ("navigator.log", "pdns.log"):
                print(f"--- {name}\n" + "\n".join(self.stack.log(name).splitlines()[-40:]))
