"""Story steps i and j: a site that lost its uplink changes nothing while the others decide without it; short flaps, a
drain and a cold start are not seen by anybody."""

import json
import re
import time

import dns_client
from daemons import wait_until
from namespaces import LabError
from steps_faults import SETTLE
from web_client import WebClient

TENANT = "far-tv"                            # at home at the last site, which is cut off
LATE = 3.0                                   # seconds; later is no answer. A machine may stand still for a moment
FLAPS, REFUSED, FLAP_EVERY = 8, 0.35, 1.2    # seconds; a check each 500 ms, so never two in a row fail by one flap


class HealthSteps:
    def __init__(self, lab, report, names, faults):
        self.lab, self.facts, self.spaces, self.stack = lab, lab.facts, lab.spaces, lab.stack
        self.daemons, self.report, self.names, self.faults = lab.daemons, report, names, faults
        self.asked = 0

    def resolvers(self):
        """One in each DNS node, so that each site's own server is asked, whatever becomes of the routes."""
        return {site.name: dns_client.Resolver(self.spaces, self.facts.dns_node(site).name, "127.0.0.1")
                for site in self.facts.sites}

    def answer(self, resolver, tenant, seconds=0.5):
        """Addresses of a name that no cache has; empty when there is no answer."""
        self.asked += 1
        got = resolver.ask(f"s{self.asked}.{tenant}", "A", seconds=seconds)
        return set(got.values) if got and got.rcode == 0 else set()

    def status(self, site):
        try:
            return json.loads(self.stack.navigator(self.facts.dns_node(site).name, "status", "--json"))
        except LabError:
            return None

    # --- i

    def hear_each_other(self):
        """Every site hears every other and is heard by it, and knows what the mesh asks for the way there."""
        for site in self.facts.sites:
            status = self.status(site)
            if status is None or status["sites"]["cut_off"] or len(status["mesh"]["costs"]) != len(self.facts.sites):
                return False
            if not all(peer["heard"] and peer["hears_us"] for peer in status["sites"]["peers"]):
                return False
        return True

    def own_tenant(self, site, backup):
        """A tenant whose home is `site`, with its certificate on both edges; its name."""
        tenant, home = f"{TENANT}.{self.facts.domain}", self.names.edge_addresses(site.name)
        self.names.forget_tenant(TENANT)
        self.stack.navigator(self.facts.primary, "tenant", "create", TENANT, "--plan", "pro", "--primary", site.name,
                             "--backup", backup.name)
        asker = self.facts.sites[0]
        wait_until("both edges serve the certificate of the tenant",
                   lambda: all(self.names.fetch(asker, tenant, address) for address in home), 60, 0.2)
        wait_until("all sites answer its home", lambda: all(self.names.answers(each, tenant) == home
                                                            for each in self.facts.sites), 30, 0.1)
        return tenant

    def cut_off(self):
        site, backup = self.facts.sites[-1], self.facts.sites[1]
        began = time.monotonic()
        wait_until("the Navigators hear each other and know the costs", self.hear_each_other, 30, 0.2)
        self.report.within("i", "every Navigator hears every other and knows the mesh's costs",
                           time.monotonic() - began, 10.0)
        tenant = self.own_tenant(site, backup)
        resolvers = self.resolvers()
        try:
            self.cut_and_mend(site, tenant, resolvers, self.names.edge_addresses(backup.name))
        finally:
            for resolver in resolvers.values():
                resolver.close()
        self.faults.settled()
        self.names.forget_tenant(TENANT)

    def cut_and_mend(self, site, tenant, resolvers, away):
        home, own = self.names.edge_addresses(site.name), resolvers[site.name]
        others = {name: resolver for name, resolver in resolvers.items() if name != site.name}
        began = time.monotonic()
        self.lab.net.cut_site(site)
        asked, changed, moved, told = 0, [], None, None
        next_look = 0.0
        while time.monotonic() < began + 30 and (told is None or time.monotonic() < told + SETTLE):
            asked += 1
            if (got := self.answer(own, tenant, LATE)) != home:
                changed.append(got)
            if moved is None and all(self.answer(resolver, tenant) == away for resolver in others.values()):
                moved = time.monotonic() - began
            if told is None and time.monotonic() > next_look:
                next_look = time.monotonic() + 0.2
                status = self.status(site)
                told = time.monotonic() if status and status["sites"]["cut_off"] else None
            time.sleep(0.005)
        if moved is None or told is None:
            what = "is answered elsewhere as before" if moved is None else "does not say that it is cut off"
            raise LabError(f"after 30 s without its uplink {site.name} {what}")
        reason = self.status(site)["sites"]["reason"]
        self.report.within("i", f"site {site.name} cut off: the others answer its tenant's backup, by quorum", moved,
                           3.0)
        self.report.within("i", f"  it says so: {reason}", told - began, 10.0)
        self.report.holds("i", f"  changed answers at its own server, {asked} asked", str(len(changed)), not changed,
                          "0")
        mended = time.monotonic()
        self.lab.net.mend_site(site)
        wait_until("all sites answer the tenant's home again",
                   lambda: all(self.answer(resolver, tenant) == home for resolver in resolvers.values()), 60, 0.05)
        self.report.within("i", "  its uplink is back: all sites answer its tenant's home", time.monotonic() - mended,
                           30.0)
        wait_until("no site is cut off", self.hear_each_other, 60, 0.2)

    # --- j

    def quiet(self):
        self.faults.settled()
        resolvers = self.resolvers()
        try:
            self.flaps(resolvers)
            self.drain()
            self.cold_start(resolvers)
        finally:
            for resolver in resolvers.values():
                resolver.close()
        self.faults.settled()

    def refuse(self, node):
        """The edge's web server refuses connections and resets those it has."""
        self.spaces.nft(node, "table inet lab_cut { chain lab_refuse { type filter hook input priority -400; "
                              "tcp dport 80 counter reject with tcp reset; }\n }\n")

    def accept(self, node):
        """Ends refuse(); how many packets it met."""
        met = re.search(r"packets (\d+)", self.stack.call(node, "nft", "list", "table", "inet", "lab_cut"))
        self.spaces.nft(node, "delete table inet lab_cut\n")
        return int(met.group(1)) if met else 0

    def flaps(self, resolvers):
        home_site = self.facts.sites[0]
        node, home = self.facts.clusters[home_site.name]["nodes"][0], self.names.edge_addresses(home_site.name)
        before = self.names.transition_ms(node)
        met, asked, changed = 0, 0, 0
        for _ in range(FLAPS):
            began = time.monotonic()
            self.refuse(node)
            refusing = True
            while refusing or time.monotonic() < began + FLAP_EVERY:
                if refusing and time.monotonic() > began + REFUSED:
                    met += self.accept(node)
                    refusing = False
                for resolver in resolvers.values():
                    asked += 1
                    changed += self.answer(resolver, self.names.tenant, LATE) != home
        self.report.holds("j", f"{node} refuses for {REFUSED * 1000:.0f} ms, {FLAPS} times ({met} attempts met): "
                               f"changed answers of {asked}", str(changed), not changed and met >= FLAPS,
                          f"0, >= {FLAPS} met")
        self.report.holds("j", "  transitions", str(int(self.names.transition_ms(node) != before)),
                          self.names.transition_ms(node) == before, "0")

    def drain(self):
        site = self.facts.sites[0]
        node = self.facts.clusters[site.name]["nodes"][0]
        address = self.facts.nodes[node].underlay4
        left = self.names.edge_addresses(site.name) - {address}
        client = WebClient(self.spaces, site.client, self.facts.anycast4, self.names.tenant,
                           self.stack.path("ca", "issuer-root.pem"))
        client.start()
        try:
            wait_until("pages are fetched from both edges", lambda: client.fetched.get(address, 0) > 50, 20)
            self.stack.navigator(self.facts.primary, "endpoint", "drain", node, "--reason", "story")
            wait_until("all sites leave the draining edge out",
                       lambda: all(self.names.answers(each, self.names.tenant) == left for each in self.facts.sites),
                       10)
            # What was answered before may be used for its TTL, and a page be on its way for a moment more.
            over = time.monotonic() + client.longest_ttl + 0.5
            wait_until("the TTL is over", lambda: time.monotonic() > over, client.longest_ttl + 5)
            drained = client.fetched[address]
            self.stack.stop_nginx(node)
            goal = client.pages + 200
            wait_until("pages go on", lambda: client.pages > goal, 30)
        finally:
            client.stop()
            self.stack.start_nginx(node)
            self.stack.navigator(self.facts.primary, "endpoint", "release", node)
        if client.failures:
            self.lab.say(f"first failures: {'; '.join(client.failures[:3])}")
        self.report.holds("j", f"{node} drains, then stops, under {client.pages} fetches: failed requests",
                          str(len(client.failures)), not client.failures, "0")
        self.report.holds("j", f"  fetched from it once the TTL of {client.longest_ttl} s was over",
                          str(client.fetched[address] - drained), client.fetched[address] == drained, "0")
        wait_until("all sites answer both edges again", self.names.home_everywhere, 30, 0.1)

    def cold_start(self, resolvers):
        """A Navigator that remembers nothing of health starts while an edge is dead."""
        site, home_site = self.facts.nodes[self.facts.replicas[0]].site, self.facts.sites[0]
        replica, node = self.facts.replicas[0], self.facts.clusters[home_site.name]["nodes"][0]
        left = self.names.edge_addresses(home_site.name) - {self.facts.nodes[node].underlay4}
        self.stack.stop_nginx(node)
        wait_until("the dead edge is left out everywhere",
                   lambda: all(self.answer(each, self.names.tenant) == left for each in resolvers.values()), 20)
        memory = self.daemons.folder(replica) / "navigator.db-health.json"
        self.daemons.stop(replica, "navigator")
        memory.unlink()
        began = self.stack.start_navigator(replica)
        first, answers, wrong = None, 0, []
        while time.monotonic() < began + 20 and (first is None or time.monotonic() < first + 3.0):
            got = self.answer(resolvers[site.name], self.names.tenant)
            if got:
                first = first or time.monotonic()
                answers += 1
                if got != left:
                    wrong.append(f"{', '.join(sorted(got))} after {(time.monotonic() - began) * 1000:.0f} ms")
        self.stack.start_nginx(node)
        if first is None:
            raise LabError(f"Navigator on {replica} gave no answer within 20 s")
        self.report.within("j", f"Navigator on {replica} starts without memory while {node} is dead: first answer",
                           first - began, 5.0)
        if wrong:
            self.lab.say(f"wrong answers of the cold start: {'; '.join(wrong[:3])}")
        self.report.holds("j", f"  answers that are not the living edge alone, {answers} in the next 3 s",
                          str(len(wrong)), not wrong, "0")
