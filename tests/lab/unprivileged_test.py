"""An agent that runs as a user of its own with CAP_NET_ADMIN and CAP_NET_RAW alone, BIRD as another with what routing
needs, as the units in packaging/systemd have them. Skipped without root, ip, bird, wg, wireguard-go, nft, setpriv and
the binary that PRIVATEER names."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from support import PRIVATEER, ROOT, mesh_ready

from daemons import wait_until
from namespaces import run
from small_mesh import SmallMesh

AGENT, BIRD = 64001, 64002  # users, and groups of the same numbers; the agent is in BIRD's too
NODE = "ann"
UNITS = ROOT / "packaging/systemd"
BITS = {"cap_net_bind_service": 10, "cap_net_admin": 12, "cap_net_raw": 13}


def capabilities(unit):
    """What the unit gives, as setpriv names it."""
    text = (UNITS / unit).read_text(encoding="utf-8")
    given = re.search(r"^AmbientCapabilities=(.*)$", text, re.MULTILINE).group(1).lower().split()
    bound = re.search(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE).group(1).lower().split()
    assert given == bound, unit
    return given


def as_user(user, given):
    names = ",".join(["-all", *("+" + name.removeprefix("cap_") for name in given)])
    groups = ("--groups", str(BIRD)) if user == AGENT else ("--clear-groups",)
    return ("setpriv", "--reuid", str(user), "--regid", str(user), *groups, "--inh-caps", names,
            "--ambient-caps", names, "--bounding-set", names, "--no-new-privs", "--")


def effective(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return int(fields["Uid"].split()[0]), int(fields["CapEff"], 16), int(fields["CapBnd"], 16), fields["NoNewPrivs"]


class UnprivilegedMesh(SmallMesh):
    """Ann's agent and BIRD are users of their own; bob is root's."""

    def __init__(self, prefix):
        super().__init__(prefix, (NODE, "bob"))
        os.chmod(self.state, 0o755)
        self.program = shutil.copy(PRIVATEER, self.state / "privateer")
        self.tun = self.state / "tun"
        os.mknod(self.tun, 0o666 | 0o020000, os.makedev(10, 200))
        os.chmod(self.tun, 0o666)
        # As the units and packaging/systemd/privateer.tmpfiles make them.
        for name, user, group, mode in (("bird", BIRD, BIRD, 0o750), ("bird/sessions", BIRD, BIRD, 0o750),
                                        ("wireguard", AGENT, AGENT, 0o750), ("state", AGENT, AGENT, 0o750),
                                        ("run", AGENT, AGENT, 0o755), ("bird-config", AGENT, BIRD, 0o2750)):
            path = self.daemons.folder(NODE) / name
            path.mkdir(exist_ok=True)
            os.chown(path, user, group)
            os.chmod(path, mode)
        settings = pathlib.Path(self.path(NODE, "privateer.yaml"))
        wanted = json.loads(settings.read_text(encoding="utf-8"))
        wanted["bird"] = {"config": self.path(NODE, "bird-config", "bird.conf"),
                          "control": self.path(NODE, "bird.ctl"), "sessions": self.path(NODE, "bird/sessions/log")}
        wanted["bird"]["control"] = self.path(NODE, "bird", "bird.ctl")
        wanted["agent"] = {"unix": self.path(NODE, "run", "agent.sock")}
        wanted["names"] = {"hosts": "/etc/hosts"}
        settings.write_text(json.dumps(wanted), encoding="utf-8")
        os.chmod(settings, 0o644)

    def full(self, node):
        control = self.path(node, "bird", "bird.ctl") if node == NODE else self.path(node, "bird.ctl")
        out = subprocess.run(("birdc", "-s", control, "show", "ospf", "neighbors"), capture_output=True, text=True,
                             check=False).stdout
        count = out.count("Full/")
        return (count // 2, count // 2)

    def bfd_up(self, node):
        return 2 * self.degree(node)  # not looked at here

    def join(self, node, token=None, check=True):
        if node != NODE:
            return super().join(node, token, check)
        file = pathlib.Path(self.path(NODE, "token"))
        file.write_text(self.token("--node", NODE), encoding="ascii")
        os.chown(file, AGENT, AGENT)
        command = self.spaces.argv(NODE, *as_user(AGENT, []), self.program, "--config",
                                   self.path(NODE, "privateer.yaml"), "join", "--token-file", str(file))
        return run(*command, timeout=60)

    def start_agent(self, node):
        if node != NODE:
            super().start_agent(node)
            return
        self.daemons.start(NODE, "agent", "sh", "-c", 'mount --bind "$0" /dev/net/tun && exec "$@"', str(self.tun),
                           *as_user(AGENT, capabilities("privateer.service")), self.program, "--config",
                           self.path(NODE, "privateer.yaml"), "agent", env={"GOMAXPROCS": "1"})
        config = pathlib.Path(self.path(NODE, "bird-config", "bird.conf"))
        wait_until("the agent writes BIRD's configuration", config.exists, 20)  # as privateer-bird.path does
        self.daemons.start(NODE, "bird", "sh", "-c", 'umask 0027 && exec "$@"', "sh",
                           *as_user(BIRD, capabilities("privateer-bird.service")), "bird", "-f", "-c", str(config),
                           "-s", self.path(NODE, "bird", "bird.ctl"))


@unittest.skipUnless(mesh_ready() and shutil.which("setpriv"),
                     "needs root, ip, bird, wg, wireguard-go, nft, setpriv and PRIVATEER")
class UnprivilegedTest(unittest.TestCase):
    def setUp(self):
        self.mesh = UnprivilegedMesh("sovuser-")
        self.addCleanup(self.mesh.close)
        self.mesh.up()

    def test_cap_net_admin_is_enough(self):
        mesh = self.mesh
        space = mesh.spaces.name(NODE)
        own = 1 << BITS["cap_net_admin"] | 1 << BITS["cap_net_raw"]
        self.assertEqual(effective(mesh.daemons.pid(NODE, "agent")), (AGENT, own, own, "1"))
        routing = own | 1 << BITS["cap_net_bind_service"]
        self.assertEqual(effective(mesh.daemons.pid(NODE, "bird")), (BIRD, routing, routing, "1"))
        programs = {pid: pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
                    for pid in mesh.spaces.pids(space)}
        go = [pid for pid, name in programs.items() if name == "wireguard-go"]
        self.assertEqual([effective(pid) for pid in go], [(AGENT, own, own, "1")])
        for root in (pid for pid, name in programs.items() if effective(pid)[0] == 0):
            self.fail(f"root runs {programs[root]}")
        self.birds_user_is_locked_out()
        self.everything_is_kept(space)
        self.what_needs_more_is_said()

    def birds_user_is_locked_out(self):
        """BIRD speaks with neighbours. Whoever takes it over has routes, but neither the agent nor its keys."""
        mesh = self.mesh
        connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        reach = lambda user, *words: subprocess.run(mesh.spaces.argv(NODE, *as_user(user, []), *words), check=False,
                                                    capture_output=True, text=True)
        agent, bird = mesh.path(NODE, "run", "agent.sock"), mesh.path(NODE, "bird", "bird.ctl")
        for user, socket, allowed in ((AGENT, agent, True), (AGENT, bird, True), (BIRD, bird, True),
                                      (BIRD, agent, False)):
            with self.subTest(user=user, socket=socket):
                done = reach(user, "python3", "-c", connect, socket)
                self.assertEqual(done.returncode == 0, allowed, done.stderr)
                self.assertTrue(allowed or "PermissionError" in done.stderr, done.stderr)
        self.assertNotEqual(reach(BIRD, "ls", mesh.path(NODE, "state")).returncode, 0)
        # And what gives the users their groups: the controller's socket is the agent's group's, as its own.
        users = (UNITS / "privateer.sysusers").read_text(encoding="utf-8")
        self.assertNotRegex(users, r"(?m)^m privateer-bird ")
        self.assertRegex((UNITS / "privateer-bird.service").read_text(encoding="utf-8"), r"(?m)^Group=privateer-bird$")
        folders = (UNITS / "privateer.tmpfiles").read_text(encoding="utf-8")
        self.assertIn("d /var/lib/privateer-bird 2750 privateer privateer-bird", folders)

    def everything_is_kept(self, space):
        mesh = self.mesh
        text = {"capture_output": True, "text": True}
        inside = lambda *words: subprocess.run(mesh.spaces.argv(NODE, *words), check=False, **text)
        ip = lambda *words: subprocess.run(("ip", "-n", space, *words), check=True, **text).stdout
        damages = {
            "device": (lambda: ip("link", "del", "wg-bob"), lambda: ",UP" in ip("link", "show", "wg-bob")),
            "address": (lambda: ip("addr", "del", "10.202.0.1/32", "dev", "lo"),
                        lambda: "10.202.0.1/" in ip("addr", "show", "lo")),
            "setting": (lambda: inside("sysctl", "-qw", "net.ipv4.ip_forward=0"),
                        lambda: inside("sysctl", "-n", "net.ipv4.ip_forward").stdout.strip() == "1"),
            "rules": (lambda: inside("nft", "delete", "table", "inet", "privateer"),
                      lambda: "chain forward" in inside("nft", "list", "table", "inet", "privateer").stdout),
            "route": (lambda: ip("route", "add", "203.0.113.0/24", "dev", "wg-bob"),
                      lambda: "203.0.113.0" not in ip("route")),
        }
        for kind, (damage, repaired) in damages.items():
            with self.subTest(kind):
                damage()
                mesh.wait(f"{kind} is repaired", lambda r=repaired: self.quietly(r), 20, 0.05, [NODE])
        mesh.wait_full()

    @staticmethod
    def quietly(condition):
        try:
            return condition()
        except subprocess.CalledProcessError:
            return False

    def what_needs_more_is_said(self):
        said = self.mesh.status(NODE)["limits"]
        self.assertEqual([one.split(":")[0] for one in said], ["names.hosts"])
        done = self.mesh.privateer(NODE, "doctor", "--json", check=False)
        self.assertTrue(done.stdout, f"{done.returncode} {done.stderr}")
        findings = json.loads(done.stdout)["findings"]
        fixes = {(one["code"], one["subject"]): one["fix"] for one in findings}
        self.assertIn("what to do instead", fixes.get(("unprivileged", "names.hosts"), "not named"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
