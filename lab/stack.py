"""The programs of the lab: Privateer on every node, Navigator and PowerDNS at the DNS nodes, nginx on the edges, and a
certificate authority on the internet. Settings are written, programs started; nothing here waits for a story."""

import json
import signal

import underlay
from daemons import wait_until
from namespaces import LabError, run

PEBBLE_PORT, PEBBLE_MANAGEMENT_PORT, DISPATCHER_PORT = 14000, 15000, 5053
NAVIGATOR_PORT, CONTROLLER_PORT = 18010, 18012


def yaml(value, indent=0):
    """Settings as block YAML; every text is quoted."""
    pad = "  " * indent
    if isinstance(value, dict):
        return "".join(f"{pad}{key}:" + (f"\n{yaml(inner, indent + 1)}" if isinstance(inner, (dict, list)) and inner
                                         else f" {json.dumps(inner)}\n") for key, inner in value.items())
    return "".join(f"{pad}-\n{yaml(item, indent + 1)}" if isinstance(item, dict) else f"{pad}- {json.dumps(item)}\n"
                   for item in value)


class Stack:
    def __init__(self, facts, spaces, daemons, net, binaries, state):
        self.facts, self.spaces, self.daemons, self.net = facts, spaces, daemons, net
        self.navigator_binary, self.privateer_binary = str(binaries / "navigator"), str(binaries / "privateer")
        self.state = state

    def path(self, node, *parts):
        return str(self.daemons.folder(node).joinpath(*parts))

    def call(self, node, *argv, timeout=30):
        return run(*self.spaces.argv(node, *argv), timeout=timeout)

    def privateer(self, node, *argv, timeout=30):
        return self.call(node, self.privateer_binary, "--config", self.path(node, "privateer.yaml"), *argv,
                         timeout=timeout)

    def navigator(self, node, *argv, timeout=30):
        return self.call(node, self.navigator_binary, "--config", self.path(node, "navigator.yaml"), *argv,
                         timeout=timeout)

    # --- Privateer

    def write_privateer(self, node):
        facts = self.facts
        controller = f"https://{facts.nodes[facts.controller].underlay4}:{CONTROLLER_PORT}"
        settings = {
            "node": node,
            "state": self.path(node, "privateer"),
            "topology": facts.topology_file,
            "controller": {"url": controller},
            "agent": {"unix": self.path(node, "agent.sock")},
            "bird": {"config": self.path(node, "bird.conf"), "control": self.path(node, "bird.ctl"),
                     "start": ["bird", "-f", "-c", self.path(node, "bird.conf"), "-s", self.path(node, "bird.ctl"),
                               "-P", self.path(node, "bird.birdpid")]},
        }
        if node == facts.controller:
            settings["serve"] = {"listen": controller.removeprefix("https://"),
                                 "unix": self.path(node, "controller.sock")}
        if node in facts.edges:
            folder = self.daemons.folder(node) / "nginx"
            settings["edge"] = {
                "name": facts.primary,
                "navigators": [f"https://{facts.nodes[facts.primary].loopback4}:{NAVIGATOR_PORT}"],
                "directory": str(folder / "certificates"),
                "nginx_file": str(folder / "tenants.conf"),
                "reload": ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-s", "reload"],
                "probe": "127.0.0.1:443",
            }
        self.daemons.folder(node).joinpath("privateer.yaml").write_text(yaml(settings), encoding="utf-8")

    def start_controller(self):
        node = self.facts.controller
        self.daemons.start(node, "controller", self.privateer_binary, "--config", self.path(node, "privateer.yaml"),
                           "controller")

    def enrol(self):
        """A one-time token for each node, redeemed by it."""
        controller = self.facts.controller

        def token(node):
            self.daemons.require_alive(controller, "controller")
            try:
                return self.privateer(controller, "token", "create", "--node", node).strip()
            except LabError:
                return None

        for node in self.facts.nodes:
            secret = wait_until("the controller gives a token", lambda name=node: token(name), 20, 0.2)
            token_file = self.daemons.folder(node) / "token"
            token_file.touch(mode=0o600)
            token_file.write_text(secret, encoding="ascii")  # an argument would be seen in process lists and errors
            self.privateer(node, "join", "--token-file", token_file)
            token_file.unlink()

    def start_agent(self, node):
        return self.daemons.start(node, "agent", self.privateer_binary, "--config",
                                  self.path(node, "privateer.yaml"), "agent", env={"GOMAXPROCS": "1"})

    def bird(self, node):
        return self.path(node, "bird.ctl")

    # --- Navigator and PowerDNS

    def write_navigator(self, node):
        facts = self.facts
        identity = self.path(node, "privateer")
        tls = {"certificate": f"{identity}/node.crt", "key": f"{identity}/node.key", "ca": f"{identity}/ca.crt"}
        primary = node == facts.primary
        settings = {
            "node": node,
            "store": {"url": f"sqlite://{self.path(node, 'navigator.db')}"},
            "remote": {"unix": self.path(node, "remote.sock")},
            "api": {"unix": self.path(node, "navigator.sock"),
                    "listen": f"{facts.nodes[node].loopback4}:{NAVIGATOR_PORT}", "tls": tls},
            "powerdns": {"control": [self.path(node, "pdns.controlsocket")]},
            "sites": [{"name": site.name, "node": there.name, "address": there.underlay4,
                       "loopback": there.loopback4, "url": f"https://{there.loopback4}:{NAVIGATOR_PORT}"}
                      for site in facts.sites for there in [facts.dns_node(site)]],
            "mesh": {"bird": self.bird(node)},
        }
        if primary:
            settings["topology"] = facts.topology_file
            settings["acme"] = {"directory": f"https://{self.net.ca_address}:{PEBBLE_PORT}/dir",
                                "ca_bundle": self.path("ca", "pebble-tls.crt"),
                                "contact": f"mailto:ops@{facts.domain}",
                                "master_key": self.path(node, "master.key")}
        else:
            settings["replica"] = {
                "node": facts.primary,
                "primary": f"https://{facts.nodes[facts.primary].loopback4}:{NAVIGATOR_PORT}", "tls": tls}
        self.daemons.folder(node).joinpath("navigator.yaml").write_text(yaml(settings), encoding="utf-8")

    def write_zone(self):
        facts, zone = self.facts, self.daemons.folder(self.facts.primary) / "zone"
        lines = [f"$ORIGIN {facts.domain}.", "$TTL 300",
                 f"@ SOA ns.{facts.domain}. hostmaster.{facts.domain}. 1 3600 600 604800 60", "@ NS ns",
                 f"ns A {facts.anycast4}", f"ns AAAA {facts.anycast6}"]
        zone.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(zone)

    def start_navigator(self, node):
        return self.daemons.start(node, "navigator", self.navigator_binary, "--config",
                                  self.path(node, "navigator.yaml"), "serve")

    def write_powerdns(self, node):
        facts, here = self.facts, self.facts.nodes[node]
        addresses = [facts.anycast4, facts.anycast6, here.loopback4, here.loopback6, here.underlay4, here.underlay6,
                     "127.0.0.1"]
        folder = self.daemons.folder(node)
        (folder / "pdns.conf").write_text("\n".join([
            "launch=remote", f"remote-connection-string=unix:path={self.path(node, 'remote.sock')}",
            f"local-address={','.join(addresses)}", "non-local-bind=yes", f"server-id={node}", f"socket-dir={folder}",
            "setuid=", "setgid=", "guardian=no", "daemon=no", "security-poll-suffix=", "loglevel=4",
            "log-timestamp=yes"]) + "\n", encoding="utf-8")

    def start_powerdns(self, node):
        return self.daemons.start(node, "pdns", "pdns_server", f"--config-dir={self.daemons.folder(node)}")

    # --- edges

    def write_nginx(self, node):
        folder = self.daemons.folder(node) / "nginx"
        (folder / "certificates").mkdir(parents=True, exist_ok=True)
        (folder / "pages").mkdir(exist_ok=True)
        (folder / "pages" / "index.html").write_text(f"served by {node}\n", encoding="utf-8")
        temp = "".join(f"  {kind}_temp_path {folder}/temp-{kind};\n"
                       for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # A pattern may match nothing: the file is written when the first certificate arrives.
        (folder / "nginx.conf").write_text(
            f"user root;\nworker_processes 1;\ndaemon off;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n"
            f"events {{ worker_connections 256; }}\nhttp {{\n  access_log off;\n{temp}  root {folder}/pages;\n"
            "  default_type text/plain;\n"
            "  server {\n    listen 80 default_server;\n    listen [::]:80 default_server;\n"
            "    location = /healthz { return 200 \"ok\\n\"; }\n  }\n"
            f"  include {folder}/tenants[.]conf;\n}}\n", encoding="utf-8")

    def start_nginx(self, node):
        folder = self.daemons.folder(node) / "nginx"
        return self.daemons.start(node, "nginx", "nginx", "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf")

    def stop_nginx(self, node):
        return self.daemons.stop(node, "nginx", signal.SIGTERM)

    # --- the certificate authority

    def start_ca(self):
        folder = self.daemons.folder("ca")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7",
            "-subj", "/CN=pebble of the lab", "-addext", f"subjectAltName=IP:{self.net.ca_address},IP:127.0.0.1",
            "-keyout", self.path("ca", "pebble-tls.key"), "-out", self.path("ca", "pebble-tls.crt"))
        (folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"0.0.0.0:{PEBBLE_PORT}", "managementListenAddress": f"0.0.0.0:{PEBBLE_MANAGEMENT_PORT}",
            "certificate": self.path("ca", "pebble-tls.crt"), "privateKey": self.path("ca", "pebble-tls.key"),
            "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": False}}),
            encoding="utf-8")
        servers = [self.facts.dns_node(site).underlay4 for site in self.facts.sites]
        here = underlay.__file__.rsplit("/", 1)[0]
        self.daemons.start("ca", "dispatcher", "python3", f"{here}/dns_dispatcher.py", DISPATCHER_PORT, *servers)
        self.daemons.start("ca", "pebble", "pebble", "-config", folder / "pebble.json", "-dnsserver",
                           f"127.0.0.1:{DISPATCHER_PORT}", env={"PEBBLE_VA_NOSLEEP": "1"})

    def fetch_ca_root(self):
        """pebble makes a new root at each start; clients of the lab trust this one. None while it is not up yet."""
        target = self.path("ca", "issuer-root.pem")
        try:
            run(*self.spaces.argv("ca", "curl", "-sS", "--fail", "--max-time", "2", "--cacert",
                                  self.path("ca", "pebble-tls.crt"), "-o", target,
                                  f"https://127.0.0.1:{PEBBLE_MANAGEMENT_PORT}/roots/0"))
            return target
        except LabError:
            return None

    # --- the order of a cold start

    def write_all(self):
        """Settings of every node. Edges ask the primary by its loopback, which the plan knows."""
        first = self.facts.controller
        self.write_privateer(first)
        self.facts.learn_plan(self.privateer_binary, self.path(first, "privateer.yaml"))
        for node in self.facts.nodes:
            self.write_privateer(node)

    def start_services(self):
        """Everything above the mesh, which must be up: stores first, then name servers, edges and the authority."""
        facts = self.facts
        for node in facts.dns_nodes:
            self.write_navigator(node)
            self.write_powerdns(node)
        self.start_ca()
        for node in facts.edges:
            self.write_nginx(node)
            self.start_nginx(node)
        wait_until("pebble answers", self.fetch_ca_root, 20, 0.2)
        self.navigator(facts.primary, "zone", "import", facts.domain, self.write_zone())
        for node in [facts.primary, *facts.replicas]:
            self.start_navigator(node)
        for node in facts.dns_nodes:
            remote = self.daemons.folder(node) / "remote.sock"
            wait_until(f"Navigator on {node} serves", lambda path=remote, name=node: self._serves(name, path), 30)
            self.start_powerdns(node)

    def heal(self):
        """After a step that failed half-way: what it cut is mended, what it stopped is started."""
        for name in [*self.facts.nodes, *(site.router for site in self.facts.sites)]:
            for table in ("inet lab_cut", "inet lab_link", "netdev lab_cut"):
                run(*self.spaces.argv(name, "nft", "delete", "table", *table.split()), check=False)
        facts = self.facts
        wanted = [(facts.controller, "controller", lambda _: self.start_controller())]
        wanted += [(node, "agent", self.start_agent) for node in facts.nodes]
        wanted += [(node, "navigator", self.start_navigator) for node in facts.dns_nodes]
        wanted += [(node, "pdns", self.start_powerdns) for node in facts.dns_nodes]
        wanted += [(node, "nginx", self.start_nginx) for node in facts.edges]
        for node, name, start in wanted:
            if self.daemons.pid(node, name) is None:
                start(node)

    def _serves(self, node, path):
        """PowerDNS ends when it is told no zones at its start, which a replica does not until it has heard of some."""
        self.daemons.require_alive(node, "navigator")
        try:
            return path.exists() and json.loads(self.navigator(node, "status", "--json"))["zones"] > 0
        except LabError:
            return False
