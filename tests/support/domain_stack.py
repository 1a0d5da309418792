"""The stack of certificate_stack.py with customers: a zone for delegated challenges, a customer's zone that tests
rewrite, an API over TLS for edges, and a CA behind a proxy that holds, garbles or refuses what a test says."""
import json
import re
import ssl
import threading

import ca_proxy
import certificate_stack
import daemons

EDGE = "edge-ams-1"
ZONE = "$TTL 5\n@ SOA ns1 h 1 3600 600 86400 1\n@ NS ns1\nns1 A 127.0.0.1\n"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class UnrulyCa(ca_proxy.CaProxy):
    """Between Navigator and pebble. `behave(kind, forward)` answers in pebble's stead when it is set: (status, headers,
    body), or what forward() gives. `asked` counts the requests of each kind."""

    def __init__(self, *arguments):
        self.behave = None
        self.asked = {}
        super().__init__(*arguments)

    def _forward(self, method, path, headers, body):
        kind = path.strip("/").split("/")[0]
        with self.lock:
            self.asked[kind] = self.asked.get(kind, 0) + 1
            behave = self.behave
        forward = lambda: super(UnrulyCa, self)._forward(method, path, headers, body)  # noqa: E731
        return behave(kind, forward) if behave else forward()


class Hold:
    """Stops the first request of one kind, before or after the CA acted, until it is let go; others pass."""

    def __init__(self, proxy, kind, after=False):
        self.proxy, self.kind, self.after = proxy, kind, after
        self.held, self.free = threading.Event(), threading.Event()
        proxy.behave = self._behave

    def _behave(self, kind, forward):
        if kind != self.kind or self.held.is_set():
            return forward()
        answer = forward() if self.after else None
        self.held.set()
        self.free.wait(60)
        return answer or forward()

    def wait(self, seconds=30):
        assert self.held.wait(seconds), f"no {self.kind} was asked"

    def let_go(self):
        self.free.set()
        self.proxy.behave = None


class DomainStack(certificate_stack.CertificateStack):
    """`proxied`: the CA is self.proxy, an UnrulyCa; else `ca_port` or pebble."""

    def __init__(self, ca_port=None, acme="", proxied=True):
        self.api_port = daemons.free_port()
        self.proxy = None
        self.records = {}
        port = ca_port or (daemons.free_port() if proxied else None)
        super().__init__(ca_port=port, acme=acme, reject_nonces=0)
        path = self.files.path
        self.sign(EDGE, f"DNS:{EDGE}")
        with open(self.navigator.config, encoding="utf-8") as file:
            text = file.read()
        listen = (f'api: {{ unix: {self.navigator.api}, listen: "127.0.0.1:{self.api_port}", tls: {{ certificate: '
                  f'{path("server.pem")}, key: {path("server.key")}, ca: {path("ca.pem")} }} }}')
        self.files.write("navigator.yaml", re.sub(r"^api: .*$", lambda _: listen, text, flags=re.M))
        if proxied and ca_port is None:
            self.proxy = UnrulyCa(port, path("server.pem"), path("server.key"), path("ca.pem"))
            self.proxy.ca_port = self.pebble.port

    def settings(self, ca_port, acme):
        return super().settings(ca_port, acme) + f"""\
tenants:
  self_service: true
  challenge_zone: acme.stream.example
  resolver: 127.0.0.1
  resolver_port: {self.pdns.port}
"""

    def sign(self, name, names):
        """NAME.key and NAME.pem by the root of the test."""
        path = self.files.path
        daemons.run("openssl", "req", *CURVE, "-subj", "/CN=" + name, "-keyout", path(name + ".key"), "-out",
                    path(name + ".csr"))
        extensions = self.files.write(name + ".ext", f"subjectAltName={names}\n")
        daemons.run("openssl", "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey",
                    path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                    path(name + ".pem"))

    def start(self):
        """The zones are there before PowerDNS, which reads their list when it starts."""
        self.navigator.start()
        self.command("zone", "import", "stream.example",
                     self.files.write("stream.example.zone", certificate_stack.ZONE))
        for zone in ("acme.stream.example", "customer.example"):
            self.navigator.import_zone(zone, ZONE)
        self.pdns.start()
        self.pebble.start()

    def close(self):
        if self.proxy:
            self.proxy.behave = None
            self.proxy.close()
        super().close()

    def dig(self, name, kind):
        return daemons.run("dig", "@127.0.0.1", "-p", str(self.pdns.port), "+short", "+time=2", "+tries=1", name, kind,
                           check=False).stdout.split()

    def json(self, *words):
        return json.loads(self.command(*words, "--json").stdout)

    def why(self, name):
        return self.json("cert", "why", name)

    def create(self, label):
        self.command("tenant", "create", label, "--plan", "pro", "--primary", "ams")

    def certificate(self, name, seconds=60, wanted=lambda one: True):
        """The present certificate of a name, once it is there and as wanted."""
        def look():
            found = [one for one in self.json("cert", "list")["certificates"]
                     if name in one["names"] and one["fingerprint"] and wanted(one)]
            return found[-1] if found else None

        try:
            return daemons.wait_for(f"a certificate of {name}", look, seconds, 0.1)
        except AssertionError as error:
            log = self.files.log
            raise AssertionError(f"{error}\n{log('navigator.log')[-3000:]}\n{log('pebble.log')[-1500:]}") from None

    def failed(self, name, words, seconds=30, of="last_error"):
        """What `cert why` says, once these words are in it."""
        def look():
            done = self.command("cert", "why", name, "--json", check=False)  # a moment after its creation it is unknown
            seen = json.loads(done.stdout) if done.returncode == 0 else {of: done.stderr}
            return seen if words in seen[of] and done.returncode == 0 else None

        try:
            return daemons.wait_for(f"{name}: {words}", look, seconds, 0.1)
        except AssertionError as error:
            said = self.command("cert", "why", name, check=False)
            raise AssertionError(f"{error}\n{said.stdout}{said.stderr}\n{self.files.log('navigator.log')[-2000:]}"
                                 ) from None

    # --- the customer's side ---
    def claim(self, tenant, name):
        self.records[name] = self.json("domain", "claim", tenant, name)["records_to_set"]

    def set_customer_zone(self, more=""):
        def line(one):
            content = f"\"{one['content']}\"" if one["type"] == "TXT" else one["content"]
            return f"{one['name']} {one['type']} {content}\n"

        lines = "".join(line(one) for records in self.records.values() for one in records)
        self.navigator.import_zone("customer.example", ZONE + lines + more)

    def add_domain(self, tenant, name):
        self.claim(tenant, name)
        self.set_customer_zone()
        daemons.wait_for(f"{name} is verified",
                         lambda: self.json("domain", "verify", tenant, name)["state"] == "verified", interval=0.2)

    def challenges_in(self, zone):
        """TXT values of orders that are still in a zone."""
        text = self.command("zone", "export", zone).stdout
        return [line for line in text.splitlines() if " TXT " in line or "\tTXT\t" in line]

    # --- the edge's side ---
    def edge(self, method, target, body=None):
        context = ssl.create_default_context(cafile=self.files.path("ca.pem"))
        context.load_cert_chain(self.files.path(EDGE + ".pem"), self.files.path(EDGE + ".key"))
        return certificate_stack.ask("localhost", self.api_port, context, method, target, body)

    def bundles(self):
        status, text = self.edge("GET", "/v1/edge/bundles")
        assert status == 200, text
        return json.loads(text)["bundles"]
