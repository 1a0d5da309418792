"""The way back from a change: by the agent, when it costs the node its controller alone, and by BIRD, when the agent
dies while the change is on trial. Skipped without root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER
names."""

import json
import os
import pathlib
import re
import signal
import socket
import socketserver
import threading
import time
import unittest

from support import LONG, mesh_ready

import bird_client
from small_mesh import CONTROLLER, UNDERLAY, SmallMesh

NODES = ("ann", "bob")
ASKED_S = 120  # how long BIRD waits for the confirmation, as docs/mesh.md says
SHORT_S = 6    # what is made of it here, unless SOVEREIGN_LONG=1
TRAP = f"services:\n  - {{name: trap, addresses: [{UNDERLAY}.100], nodes: [bob], check: {{type: dns}}}}\n"


class ShortUndo:
    """Stands at the place of a BIRD's control socket and passes everything on, but shortens `configure timeout`: two
    minutes are long for a test. `asked` has the seconds that were asked for."""

    def __init__(self, control):
        self.control, self.real, self.asked = control, control + ".real", []
        os.rename(control, self.real)  # a socket is found by its new name, too
        outer = self

        class Pass(socketserver.StreamRequestHandler):
            def handle(self):
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bird:
                    bird.connect(outer.real)
                    back = threading.Thread(target=self.back, args=(bird,), daemon=True)
                    back.start()
                    try:
                        for line in self.rfile:
                            bird.sendall(outer.shorten(line))
                        bird.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass  # one of the two was killed
                    back.join(10)

            def back(self, bird):
                try:
                    while data := bird.recv(65536):
                        self.wfile.write(data)
                except OSError:
                    pass  # who asked has gone

        socketserver.ThreadingUnixStreamServer.daemon_threads = True
        self.server = socketserver.ThreadingUnixStreamServer(control, Pass)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def shorten(self, line):
        found = re.search(rb"^(configure\b.*\btimeout) (\d+)\s*$", line)
        if not found:
            return line
        self.asked.append(int(found[2]))
        return found[1] + b" %d\n" % SHORT_S

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        os.rename(self.real, self.control)


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class RollBackTest(unittest.TestCase):

    def setUp(self):
        self.mesh = SmallMesh("sovback-", NODES)
        self.addCleanup(self.mesh.close)
        self.mesh.up()

    def calm(self, nodes=NODES):
        held = lambda status: status.get("trial_revision") == -1 and status["taken_back"] is None
        self.mesh.wait("nothing is on trial", lambda: all(held(self.mesh.status(n)) for n in nodes), 60, nodes=nodes)

    def set_topology(self, text):
        file = self.mesh.path(CONTROLLER, "new.yaml")
        pathlib.Path(file).write_text(text, encoding="utf-8")
        return json.loads(self.mesh.control("topology", "set", file).stdout)["revision"]

    def fixes(self, node):
        """What the doctor of a node names now, and what it would do: code -> fix."""
        found = json.loads(self.mesh.privateer(node, "doctor", "--json", check=False).stdout)["findings"]
        return {one["code"]: one["fix"] for one in found}

    def test_the_way_back(self):
        self.calm()
        with self.subTest("a change that cuts off the controller alone"):
            self.cut_off()
        with self.subTest("the agent dies on trial"):
            self.killed_on_trial()
        with self.subTest("a change meets an agent that starts"):
            self.met_at_a_start()

    # The controller alone

    def cut_off(self):
        """A service whose address is the controller's: on its node that address leads to lo from then on. Neighbours
        are reached as before, and nobody but the agent of that node can mend it."""
        mesh, good = self.mesh, self.mesh.topology()
        before, began = mesh.status("bob")["revision"], time.monotonic()
        bad = self.set_topology(good + TRAP)
        mesh.wait("bob tries it", lambda: mesh.status("bob").get("trial_revision") == bad, 20, 0.05, ["bob"])
        self.assertIn("ask again in half a minute", self.fixes("bob").get("world-on-trial", ""))
        mesh.wait("the controller's address leads to bob himself",
                  lambda: mesh.route("bob", f"{UNDERLAY}.100") == "lo", 10, 0.05, ["bob"])
        mesh.wait("bob goes back", lambda: mesh.status("bob")["revision"] == before, 60, 0.1, ["bob"])
        took = time.monotonic() - began
        status = mesh.status("bob")
        self.assertEqual((status["taken_back"]["revision"], status["taken_back"]["missing"]), (bad, "the controller"))
        self.assertEqual(status["taken_back"]["tries"], 1)
        self.assertIn(f"since revision {bad} came, this node no longer reaches the controller: it was taken back",
                      mesh.refusals("bob"))
        self.assertIn(f"take revision {bad} too", self.fixes("bob").get("world-taken-back", ""))
        shown = mesh.privateer("bob", "status", check=False).stdout
        self.assertIn(f"taken back  revision {bad}", shown)
        self.assertIn("the controller", shown)
        self.assertEqual((mesh.full("bob"), mesh.bfd_up("bob")), ((1, 1), 2), "the neighbour was there all the time")
        # Ann's node is the same by both: she has it, and nothing was tried or taken back there.
        self.assertEqual((mesh.status("ann")["revision"], mesh.status("ann")["taken_back"]), (bad, None))
        mesh.wait("the address has left bob", lambda: mesh.route("bob", f"{UNDERLAY}.100") == "under", 10, 0.05,
                  ["bob"])
        mesh.wait("bob hears the controller again", lambda: mesh.status("bob")["controller"]["connected"], 40, 0.1,
                  ["bob"])
        again = self.set_topology(good)
        for node in NODES:
            mesh.wait(f"{node} takes what comes after", lambda n=node: mesh.status(n)["revision"] == again, 30, 0.1,
                      [node])
        self.calm()
        print(f"    the controller was cut off by a change: taken back after {took:.1f} s", flush=True)

    # The agent dies

    def bird(self, question):
        return "\n".join(bird_client.ask(self.mesh.path("ann", "bird.ctl"), question))

    def dead_time(self):
        return set(re.findall(r"Dead timer: (\d+)", self.bird("show ospf interface ospf4")))

    def undo_in(self):
        found = re.search(r"Configuration unconfirmed, undo in ([\d.]+) s", self.bird("configure status"))
        return float(found[1]) if found else None

    def killed_on_trial(self):
        mesh = self.mesh
        self.assertEqual((self.dead_time(), self.undo_in()), ({"4"}, None))
        mesh.daemons.stop("bob", "agent")  # as long as he does not follow, nothing can hold
        short = None
        if not LONG:
            mesh.daemons.stop("ann", "agent")
            short = ShortUndo(mesh.path("ann", "bird.ctl"))
            mesh.start_agent("ann")
            mesh.wait("ann's agent is back", lambda: mesh.status("ann")["in_order"]
                      and mesh.status("ann")["controller"]["connected"], 30, 0.1, ["ann"])
        try:
            before = mesh.status("ann")["revision"]
            kept = pathlib.Path(mesh.path("ann", "state", "worlds", f"world-{before}"))
            mesh.wait("what she has is what she begins with", kept.exists, 20, 0.05, ["ann"])
            # One change after the other: BIRD goes back to what ran before both, though it remembers one only.
            with_dead = lambda s: mesh.topology().replace("bfd: {", f"ospf: {{hello_s: 1, dead_s: {s}}}, bfd: {{")
            self.set_topology(with_dead(5))
            mesh.wait("BIRD has the first on trial", lambda: self.undo_in() is not None, 20, 0.02, ["ann"])
            bad = self.set_topology(with_dead(6))
            mesh.wait("BIRD has the second on trial", lambda: self.dead_time() == {"6"}, 20, 0.02, ["ann"])
            left = self.undo_in()
            killed = mesh.daemons.stop("ann", "agent", signal.SIGKILL)
            self.assertEqual(self.dead_time(), {"6"})
            self.assertIsNotNone(left)
            if short:
                self.assertEqual(short.asked, [ASKED_S, ASKED_S])
            else:
                self.assertGreater(left, ASKED_S - 15)
                self.assertLessEqual(left, ASKED_S)
            seconds = (SHORT_S if short else ASKED_S) + 15
            mesh.wait("BIRD goes back, with nobody's help", lambda: self.dead_time() == {"4"}, seconds, 0.1, ["bob"])
            passed = time.monotonic() - killed
            self.assertIsNone(self.undo_in())
            self.assertIsNone(mesh.daemons.pid("ann", "agent"))
            mesh.wait("and has its neighbour", lambda: mesh.full("ann") == (1, 1), 30, 0.1, ["bob"])
        finally:
            if short:
                short.close()
        print(f"    the agent was killed on trial (BIRD was told to wait {ASKED_S} s, {left:.1f} s were left): "
              f"BIRD was back {passed:.1f} s after", flush=True)
        # The agent begins with what held, and then follows as if nothing had been.
        log = mesh.daemons.log("ann", "agent").read_text(encoding="utf-8").count("\n")
        for node in NODES:
            mesh.start_agent(node)
        for node in NODES:
            mesh.wait(f"{node} holds the change", lambda n=node: mesh.status(n)["revision"] == bad
                      and mesh.status(n).get("trial_revision") == -1, 150 if LONG else 100, 0.2, [node])
            self.assertIsNone(mesh.status(node)["taken_back"])
        after = mesh.daemons.log("ann", "agent").read_text(encoding="utf-8").splitlines()[log:]
        known = [line.partition("world of ")[2] for line in after if line.endswith(" from last-known")]
        self.assertEqual(known[-1], f"revision {before} from last-known", "\n".join(after))
        self.assertEqual((self.dead_time(), self.undo_in()), ({"6"}, None))
        mesh.wait_full()

    def met_at_a_start(self):
        """The same change, made while bob's agent was away: it is on trial though the agent has not looked yet."""
        mesh = self.mesh
        mesh.daemons.stop("bob", "agent")
        bad = self.set_topology(mesh.topology() + TRAP)
        mesh.start_agent("bob")
        mesh.wait("bob has it", lambda: mesh.status("bob")["revision"] == bad, 20, 0.02, ["bob"])
        self.assertEqual(mesh.status("bob")["trial_revision"], bad)


if __name__ == "__main__":
    unittest.main(verbosity=2)
