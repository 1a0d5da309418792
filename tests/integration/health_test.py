#!/usr/bin/env python3
"""Health before a real pdns_server: orders of operators, reports of nodes, what is kept and told; and three sites that
decide together.

Needs what powerdns_test.py needs, and openssl.
"""
import hashlib
import hmac
import http.server
import json
import os
import signal
import socket
import socketserver
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402
import stack  # noqa: E402
from daemons import wait_for  # noqa: E402
from powerdns_test import ZONE  # noqa: E402

FIRST, SECOND = "127.0.0.2", "127.0.0.3"
SECRET = "a secret of the webhook"


class Listener:
    """An origin that takes TCP connections on one loopback address while it runs."""

    def __init__(self, address, port):
        self.place = (address, port)
        self.server = None
        self.start()

    def start(self):
        self.server = socket.create_server(self.place, backlog=4096)  # nobody accepts: each check stays in it

    def stop(self):
        if self.server:
            self.server.close()
            self.server = None


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes webhooks; the first try of each is refused, so that it must come again."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        events = self.server.events
        fresh = self.headers["Sovereign-Event"] not in [event for event, _, _ in events]
        events.append((self.headers["Sovereign-Event"], self.headers["Sovereign-Signature"], body))
        self.send_response(503 if fresh else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def objects(port):
    return f"""\
monitors:
  - {{name: web, type: tcp, port: {port}, interval_ms: 200, timeout_ms: 100, consecutive_up: 1, consecutive_down: 2}}
  - {{name: own, type: push, interval_ms: 1500, consecutive_up: 1, consecutive_down: 1}}
pools:
  - {{name: first, monitor: web, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: second, monitor: web, origins: [{{name: o, address: {SECOND}}}]}}
  - name: pushed
    monitor: own
    origin_steering: {{policy: least_load}}
    origins: [{{name: a, address: 192.0.2.201}}, {{name: b, address: 192.0.2.202}}]
load_balancers:
  - {{name: lb.example.test, default_pools: [first, second]}}
  - {{name: pushed.example.test, default_pools: [pushed], ttl: 5}}
"""


class OneSite(stack.StackCase):
    def setUp(self):
        self.hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.hook.events = []
        threading.Thread(target=self.hook.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.hook.server_close)
        self.addCleanup(self.hook.shutdown)
        secrets = daemons.Folder(prefix="navigator-secret-")
        self.addCleanup(secrets.remove)
        secret = secrets.write("secret", SECRET + "\n")
        url = f"http://127.0.0.1:{self.hook.server_address[1]}/hook"
        self.extra = f"health: {{ webhooks: [{{ url: '{url}', secret_file: {secret} }}] }}\n"
        super().setUp()
        self.web = daemons.free_port()
        self.origins = {address: Listener(address, self.web) for address in (FIRST, SECOND)}
        for origin in self.origins.values():
            self.addCleanup(origin.stop)
        self.stack.write("example.test.zone", ZONE)
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", objects(self.web)))
        self.stack.start_navigator()
        self.stack.start_pdns()
        for endpoint in ("first/o", "second/o"):
            wait_for(f"{endpoint} is found up", lambda endpoint=endpoint: self.health(endpoint)["health"] == "up")

    def health(self, endpoint):
        return json.loads(self.stack.command("health", endpoint, "--json").stdout)["endpoints"][0]

    def becomes(self, name, wanted):
        wait_for(f"{name} is {wanted}", lambda: self.stack.short(name) == wanted)

    def report(self, endpoint, success, load, sequence=None, at_ms=None):
        body = {
            "endpoint": endpoint,
            "success": success,
            "load": load,
            "sequence": sequence or time.time_ns() // 1000,
            "at_ms": at_ms or int(time.time() * 1000),
        }
        return self.stack.call("POST", "/v1/reports", json.dumps(body))[0]

    def test_orders_stand_above_the_checks_over_restarts_and_end(self):
        self.becomes("lb.example.test", [FIRST])
        self.stack.command("endpoint", "drain", "first/o", "--reason", "new disk")
        self.becomes("lb.example.test", [SECOND])
        seen = self.health("first/o")
        self.assertEqual((seen["health"], seen["observed"]), ("draining", "up"))
        self.assertEqual(seen["override"]["reason"], "new disk")
        self.assertIn("draining by order (new disk), observed up", self.stack.command("health").stdout)
        self.stack.stop_navigator()
        self.stack.start_navigator()
        self.assertEqual(self.health("first/o")["health"], "draining")
        self.assertIn("first/o", self.stack.command("endpoint", "list").stdout)
        self.stack.command("endpoint", "release", "first/o")
        self.becomes("lb.example.test", [FIRST])
        self.stack.command("endpoint", "down", "first/o", "--for", "2s")
        self.becomes("lb.example.test", [SECOND])
        self.becomes("lb.example.test", [FIRST])  # the order ended by itself
        for wrong in (["down", "first/nobody"], ["down", "first/o", "--for", "500d"], ["release", "first/o"]):
            done = self.stack.command("endpoint", *wrong, check=False)
            self.assertNotEqual(done.returncode, 0, wrong)
            self.assertTrue(done.stderr.strip(), wrong)

    def test_nodes_report_and_their_load_steers(self):
        for endpoint, load in (("pushed/a", 0.2), ("pushed/b", 0.7)):
            self.assertEqual(self.report(endpoint, True, load), 204)
        self.becomes("pushed.example.test", ["192.0.2.201"])
        self.assertEqual(self.report("pushed/a", False, 0.2), 204)

        def left():
            self.report("pushed/b", True, 0.7)  # which counts for two and a half seconds
            return self.stack.short("pushed.example.test") == ["192.0.2.202"]
        wait_for("the other one is answered", left)
        self.assertEqual(self.report("pushed/a", True, 0.1), 204)
        self.becomes("pushed.example.test", ["192.0.2.201"])
        # A node that falls silent is down; the other goes on reporting.
        def silent():
            self.report("pushed/b", True, 0.7)
            return self.stack.short("pushed.example.test") == ["192.0.2.202"]
        wait_for("silence is failure", silent)
        self.assertIn("no report", self.health("pushed/a")["checks"][0]["reason"])

        sequence = time.time_ns() // 1000
        self.assertEqual(self.report("pushed/a", True, 0.1, sequence), 204)
        self.assertEqual(self.report("pushed/a", True, 0.1, sequence), 400, "a replay")
        self.assertEqual(self.report("pushed/a", True, 0.1, at_ms=1), 400, "of another time")
        self.assertEqual(self.report("pushed/nobody", True, 0.1), 404)
        self.assertEqual(self.report("first/o", True, 0.1), 409, "it is checked")
        self.assertIn("navigator_reports_refused_total 4", self.stack.call("GET", "/metrics")[1])

    def test_changes_are_kept_and_told(self):
        self.origins[FIRST].stop()
        self.becomes("lb.example.test", [SECOND])

        def kept():
            rows = json.loads(self.stack.command("transitions", "first/o", "--json").stdout)["transitions"]
            return [row for row in rows if row["to"] == "down"]
        row = wait_for("the change is kept", kept)[0]
        self.assertEqual((row["from"], row["decided_by"]), ("up", "checks"))
        self.assertIn("refused", row["reason"])
        self.assertIn("first/o", self.stack.command("transitions").stdout)

        def told():
            return [
                (event, signature, body)
                for event, signature, body in self.hook.events
                if json.loads(body)["endpoint"] == "first/o" and json.loads(body)["to"] == "down"
            ]
        wait_for("the webhook is told, and again after it was refused", lambda: len(told()) >= 2)
        event, signature, body = told()[0]
        self.assertEqual(told()[1], (event, signature, body), "the same event comes again")
        self.assertEqual(signature, "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest())
        self.stack.stop_navigator()
        self.stack.start_navigator()
        self.assertTrue(kept(), "changes survive a restart")

    def test_what_is_known_survives_a_kill(self):
        self.assertEqual(self.report("pushed/a", False, 0.2), 204)
        self.origins[FIRST].stop()
        self.becomes("lb.example.test", [SECOND])

        def saved():
            with open(self.stack.path("navigator.db-health.json"), encoding="utf-8") as file:
                known = {one["endpoint"]: one["health"] for one in json.load(file)["endpoints"]}
            return known.get("first/o") == "down" and known.get("pushed/a") == "down"
        wait_for("the change is saved while Navigator runs", lambda: os.path.exists(
            self.stack.path("navigator.db-health.json")) and saved())
        before = self.transitions("pushed/a")
        self.stack.stop_navigator(signal.SIGKILL)
        self.stack.start_navigator()
        # No check of a pushed endpoint runs by itself: only what was saved can say this.
        row = self.transitions("pushed/a")[0]
        self.assertEqual((row["to"], row["reason"]), ("down", "as before the restart"))
        self.assertEqual(len(self.transitions("pushed/a")), len(before) + 1)
        self.assertEqual(self.transitions("first/o")[0]["reason"], "as before the restart")

    def test_caches_are_told_when_an_earlier_pool_takes_over_again(self):
        # Reports are a minute apart, so answers are cached for longer than this test waits.
        self.stack.command("steering", "apply", self.stack.write("back.yaml", """\
monitors:
  - {name: slow, type: push, interval_ms: 60000, consecutive_up: 1, consecutive_down: 1}
pools:
  - {name: early, monitor: slow, origins: [{name: o, address: 192.0.2.11}]}
  - {name: late, monitor: slow, origins: [{name: o, address: 192.0.2.12}]}
  - {name: both, pools: [early, late], minimum_origins: 2}
load_balancers:
  - {name: back.example.test, default_pools: [early, late], failback_s: 4, ttl: 600}
"""))
        # Objects are stored when they are acknowledged, and watched a moment later: until then nobody takes a report.
        wait_for("a report of early/o is taken", lambda: self.report("early/o", False, 0) == 204)
        wait_for("a report of late/o is taken", lambda: self.report("late/o", True, 0) == 204)
        self.becomes("back.example.test", ["192.0.2.12"])
        self.assertEqual((self.metric("pool_up", "early"), self.metric("pool_up", "late")), ("0", "1"))
        self.assertEqual(self.metric("pool_up", "both"), "0")
        self.assertIn('navigator_endpoint_up{endpoint="early/o"} 0', self.stack.call("GET", "/metrics")[1])
        self.assertEqual(self.metric("pool_endpoints", "both", "down"), "1")
        late_by = time.time() + 4
        wait_for("late is up for long enough", lambda: time.time() >= late_by)
        self.assertEqual(self.report("early/o", True, 0), 204)
        self.assertEqual(self.metric("pool_up", "both"), "1")
        self.stack.purged()
        told = self.purge_commands()
        if self.stack.short("back.example.test") == ["192.0.2.12"]:  # unless this machine was busy for 4 s
            ttl = int(self.stack.dig("back.example.test", "A", "+nocomments").split()[1])
            self.assertLessEqual(ttl, 4, "what is cached now ends when the earlier pool takes over, told or not")
        self.becomes("back.example.test", ["192.0.2.11"])
        # Nothing flips at that moment: what PowerDNS is told then, it is told because of the takeover.
        wait_for("PowerDNS is told of the takeover", lambda: self.purge_commands() > told)
        # A pool that is gone leaves no metric.
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", objects(self.web)))
        wait_for("no metric is left", lambda: self.metric("pool_up", "early") is None)
        wait_for("nor one of its endpoint", lambda: 'endpoint="early/o"' not in self.stack.call("GET", "/metrics")[1])

    def purge_commands(self):
        return json.loads(self.stack.call("GET", "/v1/status")[1])["powerdns"][0]["commands"]

    def metric(self, name, pool, health=None):
        labels = f'health="{health}",pool="{pool}"' if health else f'pool="{pool}"'
        for line in self.stack.call("GET", "/metrics")[1].splitlines():
            if line.startswith(f"navigator_{name}{{{labels}}} "):
                return line.split()[-1]
        return None

    def transitions(self, endpoint):
        return json.loads(self.stack.command("transitions", endpoint, "--json").stdout)["transitions"]


class Bird(socketserver.StreamRequestHandler):
    """BIRD's control socket, as far as it is asked: the server's `costs` by address."""

    def handle(self):
        self.wfile.write(b"0001 BIRD 2.0.12 ready.\n")
        for line in self.rfile:
            address = line.decode().split()[3]
            cost = self.server.costs.get(address)
            self.wfile.write(f"""\
1007-Table master4:
     {address}/32        unicast [ospf4 22:36:58.265] * I (150/{cost}) [10.255.0.2]
     \tvia 10.9.0.2 on va
1008-\tType: OSPF univ
1012-\tOSPF.metric1: {cost}
     \tOSPF.router_id: 10.255.0.2
0000 
""".encode() if cost is not None else b"8001 Network not found\n")


class MeshCosts(stack.StackCase):
    def setUp(self):
        folder = daemons.Folder(prefix="navigator-bird-")
        self.addCleanup(folder.remove)
        self.bird = socketserver.ThreadingUnixStreamServer(folder.path("bird.ctl"), Bird)
        self.bird.daemon_threads = True
        self.bird.costs = {"10.200.0.2": 20, "10.200.0.3": 30}
        threading.Thread(target=self.bird.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.bird.server_close)
        self.addCleanup(self.bird.shutdown)
        sites = "".join(f"  - {{ name: {name}, node: dns-{name}, address: 127.0.0.1, loopback: 10.200.0.{number} }}\n"
                        for number, name in enumerate(("ams", "nyc", "sin"), 1))
        self.extra = f"node: dns-ams\nsites:\n{sites}mesh: {{ bird: {folder.path('bird.ctl')} }}\n"
        super().setUp()
        self.stack.write("example.test.zone", ZONE)
        self.stack.command("zone", "import", "example.test", self.stack.path("example.test.zone"))
        self.stack.command("steering", "apply", self.stack.write("lb.yaml", """\
pools:
  - {name: asia, site: sin, origins: [{name: o, address: 192.0.2.3}]}
  - {name: america, site: nyc, origins: [{name: o, address: 192.0.2.2}]}
load_balancers:
  - {name: mesh.example.test, default_pools: [asia, america], steering_policy: mesh, ttl: 600}
"""))
        self.stack.start_navigator()
        self.stack.start_pdns()

    def test_pools_come_in_the_order_of_the_meshs_costs(self):
        answered = lambda wanted: wait_for(  # noqa: E731
            f"the answer is {wanted}", lambda: self.stack.short("mesh.example.test") == [wanted])
        answered("192.0.2.2")
        status = lambda: json.loads(self.stack.call("GET", "/v1/status")[1])["mesh"]  # noqa: E731
        self.assertEqual(status(), {"costs": {"ams": 0, "nyc": 20, "sin": 30}, "known": True, "last_error": ""})
        # The answer is cached for 600 s: caches must be told.
        self.bird.costs["10.200.0.2"] = 40
        answered("192.0.2.3")
        del self.bird.costs["10.200.0.3"]
        answered("192.0.2.2")
        self.assertEqual(status()["costs"], {"ams": 0, "nyc": 40})


class ThreeSites(unittest.TestCase):
    """Three Navigators that check the same two origins through relays of their own, and tell each other over TLS."""

    names = ("ams", "nyc", "sin")
    more = ""  # further objects, as YAML of pools
    control = {}  # control sockets of a PowerDNS, by site

    @staticmethod
    def prepare(navigator):
        """Before the site is started."""

    def setUp(self):
        self.folder = daemons.Folder(prefix="navigator-sites-")
        self.addCleanup(self.folder.remove)
        self.certificates()
        self.ports = {name: daemons.free_port() for name in self.names}
        sites = "".join(
            f"  - {{ name: {name}, node: node-{name}, address: 127.0.0.1, url: 'https://127.0.0.1:{self.ports[name]}' }}\n"
            for name in self.names
        )
        self.sites = {}
        # Each site looks at the origins through a port of its own, so that one site alone can lose sight of them.
        self.views = {}
        for name in self.names:
            folder = daemons.Folder(prefix=f"navigator-{name}-", parent=self.folder.folder)
            files = "".join(f"{key}: {self.folder.path(file)}, " for key, file in (
                ("certificate", f"node-{name}.pem"), ("key", f"node-{name}.key"), ("ca", "ca.pem")))
            navigator = navigator_daemon.Navigator(folder, self.control.get(name, ()),
                                                   extra=f"node: node-{name}\nsites:\n{sites}")
            with open(navigator.config, encoding="utf-8") as file:
                text = file.read()
            text = text.replace(f"api: {{ unix: {navigator.api} }}",
                                f"api: {{ unix: {navigator.api}, listen: '127.0.0.1:{self.ports[name]}', "
                                f"tls: {{ {files}}} }}")
            folder.write("navigator.yaml", text)
            self.addCleanup(navigator.stop)
            port = daemons.free_port()
            self.views[name] = {address: Listener(address, port) for address in (FIRST, SECOND)}
            for view in self.views[name].values():
                self.addCleanup(view.stop)
            steering = f"""\
monitors:
  - {{name: web, type: tcp, port: {port}, interval_ms: 200, timeout_ms: 100, consecutive_up: 1, consecutive_down: 2}}
  - {{name: own, type: push, interval_ms: 600000, consecutive_up: 1, consecutive_down: 1}}
pools:
  - {{name: first, monitor: web, site: nyc, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: second, monitor: web, site: sin, origins: [{{name: o, address: {SECOND}}}]}}
"""
            self.prepare(navigator)
            navigator.steering = folder.write("lb.yaml", steering + self.more)
            navigator.command("steering", "apply", navigator.steering)
            navigator.start()
            self.sites[name] = navigator
        wait_for("all hear all", lambda: all(self.hears_all(name) for name in self.names))
        for name in self.names:
            wait_for(f"up at {name}", lambda name=name: self.seen(name, "first/o")["health"] == "up")

    def certificates(self):
        path = self.folder.path
        openssl = lambda *arguments: daemons.run("openssl", *arguments)  # noqa: E731
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=test authority", "-keyout", path("ca.key"), "-out", path("ca.pem"))
        for name in self.names:
            openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN=node-{name}",
                    "-keyout", path(f"node-{name}.key"), "-out", path(f"node-{name}.csr"))
            extensions = self.folder.write("extensions", f"subjectAltName=DNS:node-{name}\n")
            openssl("x509", "-req", "-in", path(f"node-{name}.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
                    "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", path(f"node-{name}.pem"))

    def status(self, name):
        return json.loads(self.sites[name].call("GET", "/v1/status")[1])["sites"]

    def hears_all(self, name):
        return all(peer["hears_us"] for peer in self.status(name)["peers"])

    def seen(self, name, endpoint):
        return json.loads(self.sites[name].call("GET", f"/v1/health?endpoint={endpoint}")[1])["endpoints"][0]

    def found(self, name, endpoint):
        listed = json.loads(self.sites[name].call("GET", "/v1/health")[1])["endpoints"]
        return {one["endpoint"]: one["health"] for one in listed}.get(endpoint)


class Sites(ThreeSites):
    def test_most_sites_decide_and_a_cut_off_one_changes_nothing(self):
        # One site alone does not see the origin: nothing changes anywhere, and the ballot names it.
        self.views["ams"][FIRST].stop()
        wait_for("ams no longer sees it", lambda: self.seen("ams", "first/o")["observed"] == "down")
        wait_for("the others know", lambda: self.seen("sin", "first/o")["sites"]["down"] == ["ams"])
        for name in self.names:
            self.assertEqual(self.seen(name, "first/o")["health"], "up", name)
        # Two of three: it is down at all of them.
        self.views["nyc"][FIRST].stop()
        for name in self.names:
            wait_for(f"down at {name}", lambda name=name: self.seen(name, "first/o")["health"] == "down")
        rows = wait_for("the change is kept", lambda: [
            row for row in json.loads(self.sites["sin"].call("GET", "/v1/transitions")[1])["transitions"]
            if row["endpoint"] == "first/o" and row["to"] == "down"])
        self.assertEqual(rows[0]["decided_by"], "sites")
        self.assertIn("down at ", rows[0]["reason"])
        for name in ("ams", "nyc"):
            self.views[name][FIRST].start()
        for name in self.names:
            wait_for(f"up at {name}", lambda name=name: self.seen(name, "first/o")["health"] == "up")

        # What was not checked for a while is judged again, though its votes are what they were.
        with open(self.sites["ams"].steering, encoding="utf-8") as file:
            text = file.read()
        disabled = text.replace("{name: first, ", "{name: first, enabled: false, ")
        for change, health in ((disabled, None), (text, "up")):
            file = self.folder.write("change.yaml", change)
            self.sites["ams"].command("steering", "apply", file)
            wait_for(f"first/o is {health} at ams", lambda health=health: self.found("ams", "first/o") == health)

        # A site whose peers are gone and that reaches nothing elsewhere keeps what it has, and says so.
        for name in ("nyc", "sin"):
            self.sites[name].stop()
        for view in self.views["ams"].values():
            view.stop()
        wait_for("ams is cut off", lambda: self.status("ams")["cut_off"])
        wait_for("ams sees nothing", lambda: self.seen("ams", "second/o")["observed"] == "down")
        self.assertEqual(self.seen("ams", "second/o")["health"], "up")
        self.assertTrue(self.status("ams")["reason"])
        # The peers come back: together they decide again.
        for name in ("nyc", "sin"):
            self.sites[name].start()
        wait_for("all hear all", lambda: all(self.hears_all(name) for name in self.names))
        for view in self.views["ams"].values():
            view.start()
        wait_for("ams is back", lambda: not self.status("ams")["cut_off"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
