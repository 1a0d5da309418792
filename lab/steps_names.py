"""Story steps b to e: names, a tenant, its certificate, and the health of its edges."""

import json
import subprocess
import time

import dns_client
from daemons import wait_until
from namespaces import LabError

TENANT = "acme-tv"


class NameSteps:
    def __init__(self, lab, report):
        self.lab, self.facts, self.spaces, self.stack, self.report = lab, lab.facts, lab.spaces, lab.stack, report
        self.tenant = f"{TENANT}.{self.facts.domain}"
        self.created_at = None

    # --- what clients see

    def ask(self, site, name, qtype="A", server=None):
        return dns_client.ask_once(self.spaces, site.client, server or self.facts.anycast4, name, qtype)

    def edge_addresses(self, cluster, version=4):
        nodes = [self.facts.nodes[name] for name in self.facts.clusters[cluster]["nodes"]]
        return {node.underlay4 if version == 4 else node.underlay6 for node in nodes}

    def answers(self, site, name, qtype="A"):
        answer = self.ask(site, name, qtype)
        return set(answer.values) if answer and answer.rcode == 0 else set()

    # --- b

    def own_site_answers(self):
        def servers():
            seen = {}
            for site in self.facts.sites:
                for server in (self.facts.anycast4, self.facts.anycast6):
                    answer = dns_client.ask_once(self.spaces, site.client, server, "id.server", "TXT",
                                                 dns_client.CHAOS)
                    seen[(site.name, server)] = answer.values[0] if answer and answer.values else "nobody"
            return seen

        wanted = {(site.name, server): self.facts.dns_node(site).name for site in self.facts.sites
                  for server in (self.facts.anycast4, self.facts.anycast6)}
        try:
            wait_until("own site answers", lambda: servers() == wanted, 30, 0.2)
            right = len(wanted)
        except LabError:
            seen = servers()
            right = sum(seen[key] == wanted[key] for key in wanted)
        self.report.add("b", "anycast IPv4 and IPv6: the client's own site answers", f"{len(wanted)} of {len(wanted)}",
                        f"{right} of {len(wanted)}", right == len(wanted))

    # --- c

    def forget_tenant(self, label=TENANT):
        """A tenant that may be left of an earlier story goes, and its names with it."""
        listed = json.loads(self.stack.navigator(self.facts.primary, "tenant", "list", "--json"))
        if not any(tenant["label"] == label for tenant in listed["tenants"]):
            return
        self.stack.navigator(self.facts.primary, "tenant", "delete", label)
        name = f"{label}.{self.facts.domain}"
        wait_until(f"{name} is gone", lambda: not any(self.answers(site, name) for site in self.facts.sites), 30, 0.1)

    def create_tenant(self):
        self.forget_tenant()
        primary, backup = self.facts.sites[0].name, self.facts.sites[1].name
        names = [self.tenant, f"x.{self.tenant}"]
        wanted = {"A": self.edge_addresses(primary), "AAAA": self.edge_addresses(primary, 6)}
        self.created_at = time.monotonic()
        self.stack.navigator(self.facts.primary, "tenant", "create", TENANT, "--plan", "pro", "--primary", primary,
                             "--backup", backup)
        commanded = time.monotonic() - self.created_at

        def right():
            return all((got := self.answers(site, name, qtype)) and got <= wanted[qtype]
                       for site in self.facts.sites for name in names for qtype in wanted)

        wait_until("the tenant's names answer at all sites", right, 20, 0.02)
        self.report.within("c", "tenant create: command to A and AAAA of name and wildcard at all sites",
                           time.monotonic() - self.created_at, 2.0)
        self.report.within("c", "  of which the command itself", commanded, 1.0)

    # --- d

    def fetch(self, site, host, address):
        """True when `host` at `address` is served with a certificate that the lab's authority vouches for."""
        target = f"[{address}]" if ":" in address else address
        done = subprocess.run(
            self.spaces.argv(site.client, "curl", "-sS", "--max-time", "3", "--cacert",
                             self.stack.path("ca", "issuer-root.pem"), "--resolve", f"{host}:443:{target}",
                             "-o", "/dev/null", "-w", "%{http_code}", f"https://{host}/"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20)
        return done.returncode == 0 and done.stdout.strip() == "200"

    def certificate(self):
        site = self.facts.sites[0]
        hosts = [self.tenant, f"www.{self.tenant}"]

        def first_fetch():
            for host in hosts:
                addresses = sorted(self.answers(site, host))
                if not addresses or not self.fetch(site, host, addresses[0]):
                    return False
            return True

        wait_until("an edge serves the tenant's certificate", first_fetch, 60, 0.1)
        self.report.within("d", "tenant create to the first verified https fetch of name and www",
                           time.monotonic() - self.created_at, 15.0)

        def all_answered_ready():
            """Every address that any site answers serves the certificate, in both families."""
            count = 0
            for each in self.facts.sites:
                for qtype in ("A", "AAAA"):
                    for address in self.answers(each, self.tenant, qtype):
                        if not self.fetch(each, self.tenant, address):
                            raise LabError(f"DNS at {each.name} answers {address}, which does not serve the "
                                           "certificate yet")
                        count += 1
            return count

        asked = all_answered_ready()
        self.report.holds("d", "every answered edge serves the certificate, asked of all sites", f"{asked} of {asked}",
                          asked > 0, "all")

    # --- e

    def transition_ms(self, node):
        """Wall clock of the last health transition of a node's endpoint, by Navigator's own record."""
        found = []

        def search(value):
            if isinstance(value, dict):
                names = {str(text) for text in value.values() if isinstance(text, (str, int))}
                address = self.facts.nodes[node].underlay4
                if "changed_at_ms" in value and any(node in text or text == address for text in names):
                    found.append(int(value["changed_at_ms"]))
                for inner in value.values():
                    search(inner)
            elif isinstance(value, list):
                for inner in value:
                    search(inner)

        search(json.loads(self.stack.navigator(self.facts.primary, "health", "--json")))
        return max(found, default=0)

    def change_after(self, action, accept, seconds):
        """Runs `action`; (moment of action, wall clock and monotonic moment of the first accepted answer)."""
        resolver = dns_client.Resolver(self.spaces, self.facts.sites[0].client, self.facts.anycast4)
        try:
            began = action()
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                answer = resolver.ask(self.tenant, "A", seconds=0.2)
                if answer and answer.rcode == 0 and accept(set(answer.values)):
                    return began, time.time() * 1000, time.monotonic()
                time.sleep(0.005)
            raise LabError(f"the answer did not change within {seconds:g} s")
        finally:
            resolver.close()

    def health(self):
        primary, backup = self.facts.sites[0].name, self.facts.sites[1].name
        first, second = self.facts.clusters[primary]["nodes"][:2]
        gone = self.facts.nodes[first].underlay4
        home, away = self.edge_addresses(primary), self.edge_addresses(backup)
        wait_until("both edges are answered", lambda: self.answers(self.facts.sites[0], self.tenant) == home, 30, 0.1)

        for node, accept, what in (
                (first, lambda got: got and gone not in got, "one edge stops"),
                (second, lambda got: got and got <= away, "the last edge stops: the backup answers")):
            began, changed_ms, changed = self.change_after(lambda name=node: self.stack.stop_nginx(name), accept, 20)
            at_ms = wait_until("the transition is on record", lambda name=node: self.transition_ms(name), 5)
            self.report.within("e", f"{what}: stop to changed answer", changed - began, 2.0)
            self.report.within("e", "  of which threshold reached to changed answer",
                               max(0.0, (changed_ms - at_ms) / 1000), 0.1)

        def start_both():
            self.stack.start_nginx(first)
            return self.stack.start_nginx(second)

        began, _, back = self.change_after(start_both, lambda got: got == home, 90)
        self.report.within("e", "both edges start: to the primary's answer", back - began, 30.0)
        wait_until("all sites answer the primary again", self.home_everywhere, 30, 0.1)

    def home_everywhere(self):
        home = self.edge_addresses(self.facts.sites[0].name)
        return all(self.answers(site, self.tenant) == home for site in self.facts.sites)


