"""A node that is on the way to the next instance of an anycast service withdraws its own: what comes for the address
passes on, the service binds to its address again when it comes back, and then what comes ends there again. Skipped
without root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER names."""

import json
import signal
import socket
import subprocess
import sys
import time
import unittest

from support import mesh_ready

from daemons import wait_until
from small_mesh import SmallMesh

CLIENT, TRANSIT, BEHIND = "ann", "bob", "cat"
ADDRESSES = ("10.53.0.53", "fd53::53")
PORT = 853
# Says its name to whoever sends a datagram; the check asks by TCP. A connection under way would not outlive that its
# packets go elsewhere from one moment to the next, which no routing can help.
SERVICE = """
import socket, sys, threading
family = lambda address: socket.AF_INET6 if ":" in address else socket.AF_INET
def tell(told):
    while True:
        _, client = told.recvfrom(64)
        told.sendto(sys.argv[1].encode(), client)
for address in sys.argv[3:]:
    told = socket.socket(family(address), socket.SOCK_DGRAM)
    told.bind((address, int(sys.argv[2])))
    threading.Thread(target=tell, args=(told,), daemon=True).start()
servers = [socket.create_server((address, int(sys.argv[2])), family=family(address)) for address in sys.argv[3:]]
def take(server):
    while True:
        server.accept()[0].close()
for server in servers[1:]:
    threading.Thread(target=take, args=(server,), daemon=True).start()
take(servers[0])
"""


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class PassingOnTest(unittest.TestCase):
    def setUp(self):
        self.mesh = mesh = SmallMesh("sovpass-", (CLIENT, TRANSIT, BEHIND),
                                     [(CLIENT, TRANSIT, 10), (TRANSIT, BEHIND, 10)])
        self.addCleanup(mesh.close)
        mesh.write_topology(mesh.topology() + f"services:\n  - {{name: names, addresses: [{ADDRESSES[0]}, "
                            f"'{ADDRESSES[1]}'], nodes: [{TRANSIT}, {BEHIND}], check: {{type: tcp, port: {PORT}, "
                            "interval_ms: 200, timeout_ms: 150, rise: 2, fall: 2}}\n")

    def start_service(self, node):
        self.mesh.daemons.start(node, "service", sys.executable, "-c", SERVICE, node, str(PORT), *ADDRESSES)

    def ask(self, address):
        """Who answers the client; None: nobody."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.mesh.spaces.socket(CLIENT, family, socket.SOCK_DGRAM) as stream:
            stream.settimeout(0.5)
            try:
                stream.connect((address, PORT))
                stream.send(b"who?")
                return stream.recv(64).decode() or None
            except OSError:
                return None

    def answers(self, node, seconds=20):
        """Until both addresses are answered by this node. Returns what was heard until then."""
        heard, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            now = [self.ask(address) for address in ADDRESSES]
            heard += now
            if now == [node, node]:
                return heard
        agent = f"{self.mesh.status(TRANSIT).get('anycast')}\n{self.mesh.daemons.tail(TRANSIT, 'agent', 9)}"
        raise AssertionError(f"{node} does not answer: {heard[-6:]}; {self.rules()}; {agent}")

    def rules(self):
        listed = [subprocess.run(["ip", "-n", self.mesh.spaces.name(TRANSIT), version, "rule", "show"], check=True,
                                 capture_output=True, text=True).stdout for version in ("-4", "-6")]
        return "\n".join(listed)

    def local(self, address):
        """Where the node itself reaches the address: its check asks there."""
        return self.mesh.route(TRANSIT, address)

    def test_what_comes_for_a_withdrawn_address_passes_on(self):
        mesh = self.mesh
        mesh.up()
        self.start_service(BEHIND)
        # Bob's service has not begun yet, and he has its address: what ann sends through him reaches cat.
        self.answers(BEHIND, 40)
        self.start_service(TRANSIT)
        self.answers(TRANSIT)
        wait_until("no rule is left", lambda: not any(one in self.rules() for one in ADDRESSES), 10, 0.1)
        before = self.rules()
        self.assertTrue(before.startswith("0:\tfrom all lookup local\n"), before)
        for turn in range(2):
            mesh.daemons.stop(TRANSIT, "service", signal.SIGKILL)
            self.answers(BEHIND)
            self.assertEqual([self.local(address) for address in ADDRESSES], ["lo", "lo"])
            if turn == 1:  # what is withdrawn stays so while no agent is there, and the next one finds it
                mesh.daemons.stop(TRANSIT, "agent", signal.SIGTERM)
                self.answers(BEHIND)
                mesh.start_agent(TRANSIT)
                mesh.wait("the agent is back", lambda: mesh.status(TRANSIT)["in_order"], 30, 0.2, [TRANSIT])
                self.answers(BEHIND)
            self.start_service(TRANSIT)
            heard = self.answers(TRANSIT)
            # A query that is under way behind this node at that moment comes back to one that has its source itself.
            for family in range(len(ADDRESSES)):  # each comes back when its own check says so
                self.assertLessEqual(heard[family::len(ADDRESSES)].count(None), 1,
                                     "on the way back somebody always answers")
            wait_until("the rules are as before", lambda: self.rules() == before, 10, 0.1)
        for node in (CLIENT, TRANSIT, BEHIND):
            self.assertTrue(mesh.status(node)["in_order"], json.dumps(mesh.status(node)["failing"]))
        # Where there is no other instance they end here as ever: refused, and not sent to some default gateway.
        for node in (BEHIND, TRANSIT):
            mesh.daemons.stop(node, "service", signal.SIGKILL)
        wait_until("nobody answers", lambda: {self.ask(address) for address in ADDRESSES} == {None}, 20, 0.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
