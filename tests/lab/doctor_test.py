"""`privateer doctor` on a real mesh of three nodes: silent while all is well, and right about forty faults that are
made one after the other: it names that fault and no other, says what to do, and takes less than two seconds.
`privateer graph` shows the same mesh. Skipped without root, ip, bird, wg, wireguard-go, nft, openssl and the binary
that PRIVATEER names.

The agent repairs what it finds, so it is stopped while most faults are looked at; that is one more finding.
"""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import time
import unittest
from datetime import datetime, timedelta, timezone

from support import LONG, PRIVATEER, mesh_ready

import bird_client
from daemons import wait_until
from namespaces import LabError
from small_mesh import CONTROLLER, UNDERLAY, SmallMesh
from wrong_controller import WrongController

NODES = ("ann", "bob", "cat")
HERE, THERE = "ann", "bob"
DEVICE = "wg-bob"
TABLE = "doctortest"


# A word of what is to be done about each fault, which its fix must have.
FIXES = {
    "address-missing": f"dev {DEVICE}", "adjacency-missing": "protocol 89", "agent-failure": "tries again by itself",
    "adjacency-stuck": "compare", "no-handshake": "the other node runs",
    "address-moved": f"underlay: [{UNDERLAY}.61] for ann", "endpoint-moved": "privateer doctor on ann",
    "address-foreign": "ip address del 192.0.2.9/24", "agent-down": "systemctl start",
    "advertisements-ignored": "accept_ra=2", "area-hazard": "a link in the backbone",
    "allowed-ips": "puts them back", "asymmetric-cost": "one cost", "bird-down": "bird -p -c", "clock-skew": "NTP",
    "controller-unreachable": "controller.url", "credential-expired": "token create --node ann",
    "credential-expiring": "renews by itself", "device-down": "ip link set wg-",
    "device-foreign": f"ip link del {DEVICE}", "device-hangs": "kill -9", "device-missing": "privateer status",
    "device-stale": "ip link del wg-stale", "disk-full": "free some space",
    "endpoint-through-mesh": "take the prefix", "endpoint-unroutable": "default route",
    "full-without-bfd": "UDP 3784 and 3785", "issuer-expired": "privateer ca sign",
    "issuer-expiring": "privateer ca sign", "link-local-missing": f"dev {DEVICE}", "loopback-missing": "dev lo",
    "lossy-link": "the line below it", "mtu-black-hole": "mtu: 1280",
    "mtu-differs": f"ip link set {DEVICE} mtu 1420", "no-world": "seed.json",
    "not-seen": "as root",
    "peer-foreign": f"wg set {DEVICE} peer", "peer-missing": "the agent puts it back", "port-blocked": "open UDP",
    "port-differs": f"wg set {DEVICE} listen-port", "router-id": "restart its agent",
    "service-withdrawn": "mend the service", "snapshot-damaged": "disk of the state directory",
    "snapshot-missing": "can be written", "snapshot-old": "bring the controller back",
    "sysctl": "sysctl -w net.ipv4.ip_forward=1", "userspace-wireguard": "wireguard.backend",
    "world-on-trial": "privateer status",
}
CA_CONFIG = ("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
             "[p]\ncommonName=supplied\n")
BAR_S = 2.0
TRIES = 3  # of an examination that takes longer; the best counts, because this machine may have other work
SILENT = ("adjacency-missing", "adjacency-stuck")  # what is heard when a link carries nothing, or one way only
MENDED = ("sysctl", "address-missing", "link-local-missing", "no-handshake", "port-blocked", "world-on-trial", *SILENT)
HOLD_S = 6.0 if LONG else 0.5  # six: longer than OSPF's dead interval, after which more could follow


@unittest.skipUnless(mesh_ready() and shutil.which("openssl"),
                     "needs root, ip, bird, wg, wireguard-go, nft, openssl and PRIVATEER")
class DoctorTest(unittest.TestCase):

    def setUp(self):
        self.mesh = SmallMesh("sovdoc-", NODES)
        self.addCleanup(self.mesh.close)
        self.mesh.up()
        self.named, self.took, self.around = 0, [], ()

    # What is asked

    def doctor(self, node=HERE):
        """`self.around`: a command that makes a world of the doctor's own for it."""
        command = (*self.around, PRIVATEER, "--config", self.mesh.path(node, "privateer.yaml"), "doctor", "--json")
        took = []
        while not took or min(took) >= BAR_S and len(took) < TRIES:
            began = time.monotonic()
            done = subprocess.run(self.mesh.spaces.argv(node, *command), capture_output=True, text=True, check=False)
            took.append(time.monotonic() - began)
        self.took.append(min(took))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["healthy"], done.returncode == 0)
        for finding in report["findings"]:
            self.assertIn(FIXES[finding["code"]], finding["fix"], finding)
            self.assertTrue(finding["what"], finding)
        return report["findings"]

    def codes(self, node=HERE):
        return sorted({finding["code"] for finding in self.doctor(node)})

    def healthy_everywhere(self):
        for node in NODES:
            try:
                wait_until(f"the doctor finds nothing on {node}", lambda n=node: not self.doctor(n), 40, 0.3)
            except LabError as error:
                raise AssertionError(f"{error}: {self.doctor(node)}") from None

    def healthy_at_first_sight(self):
        """Once nothing is on trial and the controller has spoken, nobody has to look twice."""
        for node in NODES:
            self.mesh.wait(f"{node} is calm", lambda n=node: self.mesh.status(n)["trial_revision"] == -1
                           and self.mesh.status(n)["controller"]["connected"], 40, 0.1, [node])
            wait_until(f"{node} keeps its world", lambda n=node: pathlib.Path(self.mesh.path(
                n, "state", "worlds", f"world-{self.mesh.status(n)['revision']}")).exists(), 10, 0.05)
        for node in NODES:
            self.assertEqual(self.doctor(node), [], f"false alarm on {node}")

    # What is done

    def run_in(self, *argv, node=HERE, check=True):
        done = subprocess.run(self.mesh.spaces.argv(node, *argv), capture_output=True, text=True, check=False)
        if check:
            self.assertEqual(done.returncode, 0, f"{argv}: {done.stderr}")
        return done.stdout

    def nft(self, chain, rule, node=HERE):
        table = f"table inet {TABLE} {{ chain c {{ type filter hook {chain} priority 0; {rule}; }}; }}"
        self.run_in("nft", table, node=node)

    def no_nft(self, node=HERE):
        self.run_in("nft", "delete", "table", "inet", TABLE, node=node)

    def agent_off(self):
        self.mesh.daemons.stop(HERE, "agent", signal.SIGTERM)

    def until(self, codes, perhaps=(), seconds=40):
        codes, most = set(codes), {*codes, *perhaps}
        just = lambda: codes <= set(self.codes()) <= most
        try:
            wait_until(f"the doctor says {sorted(codes)} and no more", just, seconds, 0.2)
        except LabError as error:
            raise AssertionError(f"{error}: {json.dumps(self.doctor(), indent=1)}") from error

    def expect(self, code, make, undo, always=(), others=()):
        """This finding and no other, for HOLD_S, and none when it was mended (`undo` None: what follows mends it).
        `others` are what the same fault may cause besides, `always` what is so before and after. While adjacencies come
        and go there may be others for a moment, so they are waited for."""
        wanted = {code, *always}
        make()
        try:
            self.until(wanted, others)
            held = time.monotonic()
            while time.monotonic() - held < HOLD_S:
                found = self.codes()
                self.assertTrue(wanted <= set(found) <= {*wanted, *others},
                                f"{found} and not {sorted(wanted)}, {time.monotonic() - held:.1f} s later")
        finally:
            if undo:
                undo()
        if undo:
            self.until(always)
        self.named += 1

    def expect_each(self, faults, *always):
        for code, make, undo, *others in faults:
            with self.subTest(code):
                self.expect(code, make, undo, always, others)

    def poke(self):
        """A new revision that changes nothing: every long poll is answered at once."""
        file = pathlib.Path(self.mesh.path(CONTROLLER, "poke.yaml"))
        file.write_text(f"{self.mesh.topology()}# {time.time()}\n", encoding="utf-8")
        self.mesh.control("topology", "set", str(file))

    def ip(self, words):
        return lambda: self.run_in("ip", *words.split())

    def address(self, scope):
        listed = json.loads(self.run_in("ip", "-j", "-6", "addr", "show", "dev", DEVICE))[0]["addr_info"]
        return next(f"{one['local']}/{one['prefixlen']}" for one in listed if one["scope"] == scope)

    def peer(self):
        dump = self.run_in("wg", "show", DEVICE, "dump").splitlines()
        key, _, endpoint, allowed = dump[1].split("\t")[:4]
        return key, endpoint, allowed, dump[0].split("\t")[2]

    # The faults

    def faults_of_devices(self):
        fe80, mtu = self.address("link"), "1420"
        key, endpoint, allowed, port = self.peer()
        stranger = self.stranger()
        restore = ("peer", key, "endpoint", endpoint, "allowed-ips", allowed)
        wg = lambda *words: lambda: self.run_in("wg", "set", DEVICE, *words)
        def up_again():
            """A device that was down has lost its IPv6 addresses."""
            self.run_in("ip", "link", "set", DEVICE, "up")
            self.run_in("ip", "addr", "add", fe80, "dev", DEVICE, "nodad", check=False)

        yield "device-down", self.ip(f"link set {DEVICE} down"), up_again
        yield "mtu-differs", self.ip(f"link set {DEVICE} mtu 1300"), self.ip(f"link set {DEVICE} mtu {mtu}")
        yield "link-local-missing", self.ip(f"addr del {fe80} dev {DEVICE}"), self.ip(
            f"addr add {fe80} dev {DEVICE} nodad")
        yield "address-foreign", self.ip(f"addr add 192.0.2.9/24 dev {DEVICE}"), self.ip(
            f"addr del 192.0.2.9/24 dev {DEVICE}")
        loopback = self.mesh.loopback(HERE)
        own = f"{self.mesh.loopback(HERE)}/32"  # of the device, too: without it OSPF does not speak there
        yield "address-missing", self.ip(f"addr del {own} dev {DEVICE}"), self.ip(
            f"addr add {own} dev {DEVICE}"), *SILENT, "asymmetric-cost"
        yield "loopback-missing", self.ip(f"addr del {loopback}/32 dev lo"), self.ip(f"addr add {loopback}/32 dev lo")
        yield "device-stale", self.left_behind, self.ip("link del wg-stale")
        yield "peer-foreign", wg("peer", stranger, "allowed-ips", "192.0.2.7/32"), wg("peer", stranger, "remove")
        yield "allowed-ips", wg("peer", key, "allowed-ips", "10.0.0.0/8"), wg(
            "peer", key, "allowed-ips", allowed), *SILENT  # OSPF's packets are dropped with the others
        yield "port-differs", wg("listen-port", "4000"), wg("listen-port", port)
        yield "peer-missing", wg("peer", key, "remove"), wg(*restore)
        under = endpoint.rpartition(":")[0]
        yield ("no-handshake", lambda: self.never_heard_of(under, key),
               lambda: (self.no_nft(), self.run_in("wg", "set", DEVICE, *restore)))
        yield "endpoint-through-mesh", self.ip(f"route add {under}/32 dev wg-cat"), self.ip(f"route del {under}/32")
        hung = self.process_of(DEVICE)
        yield ("device-hangs", lambda: os.kill(hung, signal.SIGSTOP), lambda: os.kill(hung, signal.SIGCONT))
        yield "endpoint-unroutable", self.ip(f"route add unreachable {under}/32"), self.ip(f"route del {under}/32")

    def process_of(self, device):
        """The wireguard-go of a device of this node."""
        wanted = lambda pid: {b"wireguard-go", device.encode()} <= {
            os.path.basename(word) for word in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")}
        return next(pid for pid in self.mesh.spaces.pids(self.mesh.spaces.name(HERE)) if wanted(pid))

    def left_behind(self):
        """A device that bears the name of a link of this node."""
        self.run_in("wireguard-go", "wg-stale")
        self.run_in("ip", "link", "set", "wg-stale", "alias", f"{HERE}--gone")

    def not_of_the_mesh(self):
        """Devices of the operator's own whose names begin as ours do."""
        self.run_in("ip", "link", "add", "wg-bridge", "type", "bridge")
        self.run_in("wireguard-go", "wg-home")
        return lambda: [self.run_in("ip", "link", "del", name) for name in ("wg-bridge", "wg-home")]

    def never_heard_of(self, under, key):
        """The other end has to come first, because nobody says where it is, and does not get through."""
        self.nft("input", f'ip saddr {under} udp dport 51820-51999 drop')
        self.run_in("wg", "set", DEVICE, "peer", key, "remove")
        self.run_in("wg", "set", DEVICE, "peer", key, "allowed-ips", "0.0.0.0/0,::/0")

    @staticmethod
    def stranger():
        secret = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
        return subprocess.run(["wg", "pubkey"], input=secret, capture_output=True, text=True, check=True).stdout.strip()

    def not_heard_there(self):
        """What is said here does not arrive there: its hellos do not name this node. When there gives up, its BFD ends
        too, by which each family here forgets the neighbour until the next hello: that is waited for."""
        self.nft("input", f'iifname "wg-{HERE}" meta l4proto 89 drop', THERE)
        control = self.mesh.path(HERE, "bird.ctl")

        def hellos_alone():
            of_device = lambda command, state: [line for line in bird_client.ask(control, command)
                                                if DEVICE in line.split() and state in line]
            return not of_device("show bfd sessions", " Up ") and len(of_device("show ospf neighbors", "Init/")) == 2
        wait_until("there gave up, and says hello", hellos_alone, 40, 0.1)

    def faults_of_routing(self):
        yield ("mtu-black-hole", lambda: self.nft("output", 'oifname "under" meta l4proto udp meta length > 1400 drop'),
               self.no_nft)
        yield ("full-without-bfd",
               lambda: self.nft("input", f'iifname "{DEVICE}" udp dport {{ 3784, 3785 }} drop'), self.no_nft)
        yield "adjacency-missing", lambda: self.nft("input", f'iifname "{DEVICE}" meta l4proto 89 drop'), self.no_nft
        yield "adjacency-stuck", self.not_heard_there, lambda: self.no_nft(THERE)
        control = self.mesh.path(HERE, "bird.ctl")
        changed = pathlib.Path(self.mesh.path(HERE, "changed.conf"))
        text = pathlib.Path(self.mesh.path(HERE, "bird.conf")).read_text(encoding="utf-8")

        def recost():
            begin = text.index(f'"{DEVICE}"')
            changed.write_text(text[:begin] + text[begin:].replace("cost ", "cost 1", 1), encoding="utf-8")
            bird_client.ask(control, f'configure "{changed}"')

        yield "asymmetric-cost", recost, lambda: bird_client.ask(control, "configure")

    def other_identity(self):
        """Bob's BIRD by another number. His agent would mend it, and is stopped."""
        control, config = self.mesh.path(THERE, "bird.ctl"), pathlib.Path(self.mesh.path(THERE, "bird.conf"))
        changed = pathlib.Path(self.mesh.path(THERE, "changed.conf"))

        def make():
            self.mesh.daemons.stop(THERE, "agent", signal.SIGTERM)
            text = config.read_text(encoding="utf-8")
            self.assertIn("router id 10.202.0.2;", text)
            changed.write_text(text.replace("router id 10.202.0.2;", "router id 10.202.0.99;"), encoding="utf-8")
            bird_client.ask(control, f'configure "{changed}"')

        def undo():
            bird_client.ask(control, f'configure "{config}"')
            self.mesh.start_agent(THERE)

        return make, undo

    def faults_of_the_node(self):
        sysctl = lambda value: lambda: self.run_in("sysctl", "-qw", f"net.ipv4.ip_forward={value}")
        yield "sysctl", sysctl(0), sysctl(1)
        yield "no-world", *self.no_world()
        damaged = pathlib.Path(self.mesh.path(HERE, "state", "worlds", "world-99999"))
        yield "snapshot-damaged", lambda: damaged.write_text("nonsense", encoding="utf-8"), damaged.unlink
        bird = int(pathlib.Path(self.mesh.path(HERE, "bird.birdpid")).read_text(encoding="ascii"))
        yield "bird-down", lambda: self.run_in("kill", str(bird)), None

    def no_world(self):
        """Neither snapshot nor topology file; what the node was told when it joined is the agent's alone."""
        away = self.worlds().with_name("away")
        return lambda: self.worlds().rename(away), lambda: away.rename(self.worlds())

    def without_a_device(self):
        """What only an agent mends, and none runs: a device gone, then another's in its place."""
        self.expect("device-missing", self.ip(f"link del {DEVICE}"), None, ("agent-down",))
        self.expect("device-foreign", self.ip(f"link add {DEVICE} type bridge"), None, ("agent-down",))
        self.mesh.start_agent(HERE)
        # The agent runs, leaves what is not its own alone, and says so.
        self.expect("agent-failure", lambda: None, self.ip(f"link del {DEVICE}"), others=("device-foreign", *MENDED))
        self.mesh.wait_full()

    def service(self):
        """An anycast service that nobody runs."""
        def put(more):
            file = pathlib.Path(self.mesh.path(CONTROLLER, "service.yaml"))
            file.write_text(self.mesh.topology() + more, encoding="utf-8")
            self.mesh.control("topology", "set", str(file))

        return (lambda: put(f"services:\n  - {{name: names, addresses: [10.53.0.53], nodes: [{HERE}, {THERE}], "
                            "check: {type: tcp, port: 853, interval_ms: 200, timeout_ms: 100}}\n"), lambda: put(""))

    def faults_of_sessions(self):
        """Of a device that has just been made: what was never answered."""
        def silent_from_the_start():
            self.nft("input", 'iifname "under" udp dport 51820-51999 drop')
            for device in self.mesh.devices(HERE):
                self.run_in("ip", "link", "del", device)
            self.mesh.start_agent(HERE)

        yield "port-blocked", silent_from_the_start, lambda: (self.no_nft(), self.poke())

    # What is seen while the agent runs

    def within(self, script):
        """A fault of the file systems that the doctor sees: made in its own mount namespace."""
        def make():
            self.around = ("sh", "-c", script + ' && exec "$@"', "sh")

        def undo():
            self.around = ()

        return make, undo

    def faults_of_file_systems(self):
        state = self.mesh.path(HERE, "state")
        yield "userspace-wireguard", *self.within("mount -t tmpfs none /sys/module && mkdir /sys/module/wireguard")
        yield "disk-full", *self.within(f"mount -t tmpfs -o size=8m none /mnt && cp -a {state}/. /mnt && "
                                        f"mount --bind /mnt {state}")

    def worlds(self):
        return pathlib.Path(self.mesh.path(HERE, "state", "worlds"))

    def age_snapshots(self, days):
        for file in self.worlds().iterdir():
            os.utime(file, (time.time() - days * 86400,) * 2)

    def no_snapshots(self):
        """No world on disk, and a topology file that says what the mesh is."""
        settings = pathlib.Path(self.mesh.path(HERE, "privateer.yaml"))
        before, away = settings.read_text(encoding="utf-8"), self.worlds().with_name("away")

        def make():
            self.worlds().rename(away)
            settings.write_text(json.dumps({**json.loads(before), "topology": self.mesh.path(
                CONTROLLER, "topology.yaml")}), encoding="utf-8")

        def undo():
            settings.write_text(before, encoding="utf-8")
            away.rename(self.worlds())

        return make, undo

    def certificate(self, hours):
        """The node's certificate as it is, but for its last hour."""
        node, ca = (lambda name: self.mesh.path(HERE, "state", name)), self.mesh.path(CONTROLLER, "state", "controller")
        folder = pathlib.Path(self.mesh.path(HERE, f"certificate{hours}"))
        folder.mkdir()
        (folder / "index").touch()
        (folder / "ca.cnf").write_text(CA_CONFIG, encoding="ascii")
        openssl = lambda *words: subprocess.run(("openssl", *words), cwd=folder, check=True, capture_output=True)
        openssl("req", "-new", "-key", node("node.key"), "-subj", f"/CN={HERE}", "-out", "csr.pem")
        at = lambda h: (datetime.now(timezone.utc) + timedelta(hours=h)).strftime("%y%m%d%H%M%SZ")
        openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", f"{ca}/ca.crt", "-keyfile", f"{ca}/ca.key",
                "-in", "csr.pem", "-out", "new.crt", "-startdate", at(hours - 72), "-enddate", at(hours))
        return (folder / "new.crt").read_text(encoding="ascii")

    def issuer(self, days):
        """What issued the node's certificate, as it would be for its last days of ninety."""
        folder = pathlib.Path(self.mesh.path(HERE, f"issuer{days}"))
        folder.mkdir()
        (folder / "index").touch()
        (folder / "ca.cnf").write_text(CA_CONFIG, encoding="ascii")
        openssl = lambda *words: subprocess.run(("openssl", *words), cwd=folder, check=True, capture_output=True)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key",
                "-subj", "/CN=issuer", "-out", "csr")
        at = lambda day: (datetime.now(timezone.utc) + timedelta(days=day)).strftime("%y%m%d%H%M%SZ")
        openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-selfsign", "-keyfile", "key", "-in", "csr", "-out",
                "crt", "-startdate", at(days - 90), "-enddate", at(days))
        own = pathlib.Path(self.mesh.path(HERE, "state", "node.crt")).read_text(encoding="ascii")
        return self.credential(text=own + (folder / "crt").read_text(encoding="ascii"))

    def credential(self, hours=None, text=None):
        file, agent = pathlib.Path(self.mesh.path(HERE, "state", "node.crt")), (HERE, "agent")
        before = file.read_text(encoding="ascii")

        def use(text):
            self.mesh.daemons.stop(*agent, signal.SIGTERM)
            file.write_text(text, encoding="ascii")
            self.mesh.start_agent(HERE)

        return lambda: use(text or self.certificate(hours)), lambda: use(before)

    def faults_without_the_controller(self):
        """With them the controller does not answer, which is a finding of its own: a world is old when nobody confirms
        it, and a certificate runs out when nobody renews it."""
        yield "controller-unreachable", lambda: None, lambda: None
        yield "snapshot-old", lambda: self.age_snapshots(8), lambda: self.age_snapshots(0)
        yield "credential-expiring", *self.credential(6)
        yield "credential-expired", *self.credential(-2)
        yield "issuer-expiring", *self.issuer(20)
        yield "issuer-expired", *self.issuer(-1)

    def wrong_clock(self):
        """A controller whose clock is 95 s ahead of this node's."""
        controller = WrongController(self.mesh, HERE, ahead_s=95)
        self.addCleanup(controller.close)
        self.expect("clock-skew", lambda: None, None)
        controller.close()

    def moved(self):
        """This machine is renumbered below the mesh, which follows; whoever starts anew would not find it."""
        old, new = self.mesh.underlay(HERE), f"{UNDERLAY}.61"

        def renumber(before, after):
            self.run_in("ip", "addr", "del", f"{before}/24", "dev", "under")
            self.run_in("ip", "addr", "add", f"{after}/24", "dev", "under")

        renumber(old, new)
        try:
            self.until({"address-moved"}, (*MENDED, "controller-unreachable", "endpoint-unroutable"))
            wait_until("the other end says so, too", lambda: self.codes(THERE) == ["endpoint-moved"], 40, 0.3)
        finally:
            renumber(new, old)
        self.named += 2
        self.healthy_everywhere()

    def never_holds(self):
        """BIRD's configuration cannot be written, so that no newer world is ever kept: what else is wrong is named by
        the one that the agent goes by."""
        config = pathlib.Path(self.mesh.path(HERE, "bird.conf"))
        text = config.read_text(encoding="utf-8")
        config.unlink()
        config.mkdir()
        (config / "occupied").touch()
        try:
            self.mesh.control("topology", "set", self.narrower())
            self.until({"agent-failure", "world-on-trial"}, MENDED)
            self.expect("full-without-bfd",
                        lambda: self.nft("input", f'iifname "{DEVICE}" udp dport {{ 3784, 3785 }} drop'), self.no_nft,
                        ("agent-failure", "world-on-trial"), MENDED)
        finally:
            (config / "occupied").unlink()
            config.rmdir()
            config.write_text(text, encoding="utf-8")
        self.poke()
        self.healthy_everywhere()

    def narrower(self):
        """The topology with another timer of BFD, which changes every node's plan."""
        file = pathlib.Path(self.mesh.path(CONTROLLER, "narrower.yaml"))
        file.write_text(self.mesh.topology().replace("interval_ms: 100", "interval_ms: 110"), encoding="utf-8")
        return str(file)

    def test_forty_faults_are_named_and_health_is_silence(self):
        self.healthy_at_first_sight()
        foreign = self.not_of_the_mesh()
        self.assertEqual(self.codes(), [], "somebody else's devices are no fault")
        foreign()
        self.expect_each(self.faults_of_file_systems())
        # The agent's world is newer than what is known without snapshots: that is said, too.
        self.expect_each([("snapshot-missing", *self.no_snapshots(), "world-on-trial")])
        # Of the doctor's own, whose numbers are high after the first, exactly every third: one of them is always lost.
        # The agent's, which come once a second between them, would meet the same place of each round for minutes.
        request = f'oifname "{DEVICE}" icmpv6 type echo-request icmpv6 sequence'
        third = f"{request} >= 4096 numgen inc mod 3 0 drop; {request} < 4096 numgen random mod 3 0 drop"
        self.expect_each([("lossy-link", lambda: self.nft("output", third), self.no_nft)])
        with self.subTest("address-moved"):
            self.moved()
        with self.subTest("a world that never holds"):
            self.never_holds()
        self.expect_each([("router-id", *self.other_identity())])
        self.expect_each([("service-withdrawn", *self.service(), "world-on-trial")])
        self.agent_off()
        self.assertEqual(self.codes(), ["agent-down"])
        self.named += 1
        for faults in (self.faults_of_devices, self.faults_of_routing, self.faults_of_the_node):
            self.expect_each(faults(), "agent-down")
        self.expect_each(self.faults_of_sessions())
        self.mesh.wait_full()
        self.agent_off()
        with self.subTest("a device that only an agent makes"):
            self.without_a_device()
        self.healthy_everywhere()
        self.mesh.daemons.stop(CONTROLLER, "controller", signal.SIGTERM)
        self.expect_each(self.faults_without_the_controller(), "controller-unreachable")
        with self.subTest("clock-skew"):
            self.wrong_clock()
        self.mesh.start_controller()
        self.poke()
        self.healthy_everywhere()
        median = statistics.median(self.took)
        print(f"    {self.named} faults named, no false alarm on {len(NODES)} healthy nodes; {len(self.took)} "
              f"examinations took {median:.2f} s (median), {max(self.took):.2f} s at most", flush=True)
        self.assertGreaterEqual(self.named, 45)
        self.assertLess(max(self.took), BAR_S)

    def test_the_graph_shows_every_link_and_a_dead_node(self):
        def picture():
            return json.loads(self.mesh.privateer(HERE, "graph", "--format", "json").stdout)

        # A world is kept once it has held: the nodes have joined just now.
        wait_until("the world is kept",
                   lambda: self.mesh.privateer(HERE, "graph", check=False).returncode == 0, 60, 0.3)
        whole = picture()
        self.assertEqual([link["state"] for link in whole["links"]], ["full"] * 3)
        self.assertTrue(all(node["reachable"] for node in whole["nodes"]))
        svg = self.mesh.privateer(HERE, "graph").stdout
        self.assertTrue(svg.startswith("<svg ") and svg.endswith("</svg>\n"))
        self.assertIn("subgraph", self.mesh.privateer(HERE, "graph", "--format", "dot").stdout)
        self.mesh.reboot("cat")
        states = lambda: {(link["a"], link["b"]): link["state"] for link in picture()["links"]}
        wait_until("the links of the dead node are not full any more",
                   lambda: states()["ann", "bob"] == "full" and states()["ann", "cat"] != "full", 20, 0.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
