"""What tests/lab/systemd_mesh_test.py runs inside its virtual machine: Privateer's agent as systemd's service, as its
own user, with wireguard-go as instances of privateer-wireguard@.service that polkit lets it start. The other end of the
link is an agent of root's in a network namespace of the same machine, whose wireguard-go is its child.

The kernel has WireGuard: the setting chooses wireguard-go. The tests are steps of one story, in the order of their
names.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import unittest

STATE = pathlib.Path("/var/lib/privateer")
RIGHT = pathlib.Path("/root/right")
UNIT, DEVICE = r"privateer-wireguard@wg\x2dright", "wg-right"
RULE = pathlib.Path("/usr/share/polkit-1/rules.d/50-privateer.rules")
PATIENCE_S = 90  # the machine is emulated
PORT = 7007
AS_AGENT = ("setpriv", "--reuid", "privateer", "--regid", "privateer", "--clear-groups", "systemctl",
            "--no-ask-password")
TOPOLOGY = """
name: pair
domain: stream.example
mesh: {prefix4: 10.201.0.0/16, prefix6: "fd00:c0de:9::/48", shape: full}
sites:
  - {name: here}
nodes:
  - {name: left, site: here, role: edge, underlay: [198.18.9.1]}
  - {name: right, site: here, role: edge, underlay: [198.18.9.2]}
"""
ALLOCATION = "node left 1\nnode right 2\nlink left--right 1 51820 51820\n"


def run(*argv, check=True, **more):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}{journal()}")
    return done.stdout.strip()


def journal(*words):
    return subprocess.run(["journalctl", "--no-pager", "-n", "60", *words], capture_output=True, text=True, check=False,
                          timeout=300).stdout


def show(unit, what):
    return run("systemctl", "show", "--value", "-p", what, unit)


def wait_for(what, condition):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"not within {PATIENCE_S} s: {what}\n{journal()}\n"
                                 f"{(RIGHT / 'log').read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.2)


def status():
    try:
        return json.loads(run("privateer", "status", "--json", check=False))
    except json.JSONDecodeError:
        return {"in_order": False}


def in_order():
    return status()["in_order"]


def started():
    """The agent says that all is well, and something has crossed the link since it says so."""
    wait_for("the agent is in order", in_order)


class Echo:
    """Datagrams over the tunnel, to the other end and back, each counted."""

    def __init__(self):
        self.sent = self.back = 0
        self._ended = threading.Event()
        self._socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.settimeout(10)
        self._far = far_end()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ended.is_set():
            self.sent += 1
            try:
                place = (self._far, PORT, 0, socket.if_nametoindex(DEVICE))  # a new device has another number
                self._socket.sendto(b"%d" % self.sent, place)
                while int(self._socket.recv(100)) != self.sent:
                    pass
                self.back += 1
            except OSError:  # late, or there is no device now: it counts as lost
                pass
            self._ended.wait(0.02)

    def stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()


def far_end():
    """The link-local address of the other end, which no route is needed for."""
    out = json.loads(run("ip", "-n", "right", "-j", "-6", "addr", "show", "dev", "wg-left"))
    return next(one["local"] for one in out[0]["addr_info"] if one["local"].startswith("fe80"))


ECHO = f"""
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", {PORT}))
while True:
    data, sender = s.recvfrom(100)
    s.sendto(data, sender)
"""


class SystemdMesh(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("modprobe", "tun")
        os.chmod("/dev/net/tun", 0o666)  # as udev has it
        run("systemd-sysusers")
        run("systemd-tmpfiles", "--create", "privateer.conf", "polkitd.conf", "dbus.conf", check=False)
        run("ip", "netns", "add", "right")
        run("ip", "link", "add", "under", "type", "veth", "peer", "under", "netns", "right")
        for place, address in (((), "198.18.9.1/24"), (("-n", "right"), "198.18.9.2/24")):
            run("ip", *place, "addr", "add", address, "dev", "under")
            run("ip", *place, "link", "set", "under", "up")
            run("ip", *place, "link", "set", "lo", "up")
        STATE.mkdir(exist_ok=True)
        (RIGHT / "state").mkdir(parents=True)
        cls.keys, secrets = {}, {}
        for node in ("left", "right"):
            secrets[node] = run("wg", "genkey")
            cls.keys[node] = run("wg", "pubkey", input=secrets[node])
        cls.settings = {"node": "left", "wireguard": {"backend": "userspace"}, "rules": {"keep": "never"},
                        "bird": {"config": "/var/lib/privateer-bird/bird.conf",
                                 "control": "/run/privateer-bird/bird.ctl",
                                 "sessions": "/run/privateer-bird/sessions/log"}}
        pathlib.Path("/etc/privateer").mkdir()
        cls.write_settings({})
        for folder, node in ((STATE, "left"), (RIGHT / "state", "right")):
            (folder / "wireguard.key").write_text(secrets[node] + "\n", encoding="ascii")
            (folder / "wireguard.key").chmod(0o600)
        cls.write_world(1, ("left", "right"))
        cls.own_state()
        conf, control = RIGHT / "bird.conf", RIGHT / "bird.ctl"
        (RIGHT / "privateer.yaml").write_text(json.dumps({
            "node": "right", "state": str(RIGHT / "state"), "agent": {"unix": str(RIGHT / "agent.sock")},
            "wireguard": {"backend": "userspace"}, "rules": {"keep": "never"},
            "bird": {"config": str(conf), "control": str(control),
                     "start": ["bird", "-f", "-c", str(conf), "-s", str(control)]}}), encoding="utf-8")
        pathlib.Path("/run/wireguard").mkdir(exist_ok=True)
        shutil.chown("/run/wireguard", "privateer", "privateer")
        with open(RIGHT / "log", "w", encoding="utf-8") as log:
            enter = ("ip", "netns", "exec", "right")
            agent = ("privateer", "--config", str(RIGHT / "privateer.yaml"), "agent")
            cls.others = [subprocess.Popen([*enter, *argv], stdout=log, stderr=log)
                          for argv in (agent, ("python3", "-c", ECHO))]
        run("systemctl", "start", "dbus", "polkit")

    @classmethod
    def write_settings(cls, wireguard):
        settings = dict(cls.settings, wireguard=dict(cls.settings["wireguard"], **wireguard))
        pathlib.Path("/etc/privateer/privateer.yaml").write_text(json.dumps(settings), encoding="utf-8")

    @classmethod
    def write_world(cls, revision, members):
        world = {"revision": revision, "topology": TOPOLOGY, "allocation": ALLOCATION,
                 "nodes": {name: cls.keys[name] for name in members}}
        for folder in (STATE, RIGHT / "state"):
            (folder / "seed.json").write_text(json.dumps(world), encoding="utf-8")

    @staticmethod
    def own_state():
        for path in (STATE, *STATE.iterdir()):
            if path.is_file() or path == STATE:
                shutil.chown(path, "privateer", "privateer")

    def process(self):
        pid = int(show(UNIT, "MainPID"))
        self.assertGreater(pid, 0)
        return pid

    def test_1_the_agent_starts_the_device_as_a_unit_of_its_own(self):
        run("systemctl", "start", "privateer")
        started()
        self.assertEqual(show(UNIT, "ActiveState"), "active")
        pid = self.process()
        groups = pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
        self.assertIn(f"{UNIT}.service", groups)
        seen = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        user = run("id", "-u", "privateer")
        self.assertIn(f"Uid:\t{user}\t{user}\t{user}\t{user}\n", seen)
        self.assertIn("CapEff:\t0000000000001000", seen, "CAP_NET_ADMIN and nothing else")
        self.assertIn("NoNewPrivs:\t1", seen)
        self.assertEqual(run("systemd-analyze", "verify", "--man=no", f"{UNIT}.service", check=False), "")
        self.assertNotIn("wireguard-go", run("systemctl", "status", "privateer", check=False))
        self.assertNotIn("wireguard", journal("-q", "-u", "privateer", "-p", "err", "-o", "cat"))

    def test_2_a_restart_of_the_agent_keeps_the_process_and_the_tunnel(self):
        pid = self.process()
        echo = Echo()
        self.addCleanup(echo.stop)
        wait_for("the tunnel carries", lambda: echo.back > 20)
        for verb in ("restart", "kill -s KILL"):
            agent, sofar = show("privateer", "MainPID"), echo.back
            run("systemctl", *verb.split(), "privateer")
            wait_for("another agent runs", lambda a=agent: show("privateer", "MainPID") not in (a, "0"))
            started()
            wait_for("the tunnel carries on", lambda s=sofar: echo.back > s + 50)
            self.assertEqual(self.process(), pid)
            self.assertEqual(status()["changes"], [], "the agent found everything as it should be")
        echo.stop()
        print(f"  wireguard-go {pid} through two ends of the agent: {echo.sent} sent, {echo.sent - echo.back} lost")
        self.assertEqual(echo.back, echo.sent)

    def test_3_a_process_that_dies_comes_back_with_its_keys(self):
        pid = self.process()
        run("kill", "-9", str(pid))
        wait_for("another process", lambda: show(UNIT, "MainPID") not in (str(pid), "0"))
        started()
        echo = Echo()
        self.addCleanup(echo.stop)
        wait_for("the tunnel carries", lambda: echo.back > 5)
        self.assertIn("left--right", run("ip", "link", "show", DEVICE))

    def test_4_who_may_start_it_may_start_nothing_else(self):
        for verb, unit in (("restart", UNIT), ("stop", "systemd-journald"), ("start", "privateer-controller"),
                           ("start", "privateer-wireguard@eth0"), ("stop", "privateer-wireguard@home"),
                           ("start", "privateer-wireguard@wg-right"),
                           ("start", r"privateer-wireguard@wg\x2dright\x2f")):
            done = subprocess.run([*AS_AGENT, verb, unit], capture_output=True, text=True, check=False, timeout=60)
            self.assertNotEqual(done.returncode, 0, (verb, unit))
            self.assertRegex(done.stderr, "authentication required|Access denied|not permitted", (verb, unit))

    def test_4a_the_device_of_a_next_key_is_started_and_stopped_by_name(self):
        run("systemctl", "stop", "privateer")  # it removes what it has no link for
        unit, device = UNIT + r"\x7e", DEVICE + "~"
        run(*AS_AGENT, "start", unit)
        wait_for("the device is there", lambda: pathlib.Path(f"/sys/class/net/{device}").exists())
        self.assertEqual(show(unit, "ActiveState"), "active")
        run(*AS_AGENT, "stop", unit)
        self.assertEqual(show(unit, "ActiveState"), "inactive")
        wait_for("the device is gone", lambda: not pathlib.Path(f"/sys/class/net/{device}").exists())

    def test_5_a_removed_device_ends_its_unit(self):
        run("systemctl", "stop", "privateer")
        self.assertEqual(show(UNIT, "ActiveState"), "active")
        self.write_world(2, ("left",))
        self.own_state()
        run("systemctl", "start", "privateer")
        wait_for("the unit has ended", lambda: show(UNIT, "ActiveState") == "inactive")
        started()
        self.assertNotIn(DEVICE, run("ip", "-o", "link"))
        self.assertFalse(pathlib.Path(f"/run/wireguard/{DEVICE}.sock").exists())
        self.assertEqual(show(UNIT, "Result"), "success")

    def test_6_without_the_rule_it_says_so_once_and_starts_a_child(self):
        run("systemctl", "stop", "privateer")
        kept = RULE.read_text(encoding="utf-8")
        self.addCleanup(RULE.write_text, kept, encoding="utf-8")
        for name, leave in (("no rule", lambda: RULE.unlink()), ("no polkit", self.without_polkit)):
            with self.subTest(name):
                leave()
                run("systemctl", "restart", "polkit", check=False)
                since = run("date", "+%s")
                self.write_world(3 if name == "no rule" else 5, ("left", "right"))
                self.own_state()
                run("systemctl", "start", "privateer")
                started()
                self.assertIn(show(UNIT, "ActiveState"), ("inactive", "failed"))
                said = journal("-u", "privateer", "--since", f"@{since}", "-o", "cat", "-n", "500")
                self.assertEqual(len(re.findall("systemd does not run wireguard-go for this user", said)), 1, said)
                self.assertIn("packaging/polkit/privateer.rules", said)
                self.assertIn("wireguard-go", run("systemctl", "status", "privateer", check=False))
                run("systemctl", "stop", "privateer")
                self.write_world(4 if name == "no rule" else 6, ("left",))
                self.own_state()
                run("systemctl", "start", "privateer")
                wait_for("the device is gone", lambda: DEVICE not in run("ip", "-o", "link"))
                run("systemctl", "stop", "privateer")

    @staticmethod
    def without_polkit():
        run("systemctl", "mask", "--runtime", "--now", "polkit")
        pathlib.Path("/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service").unlink()


if __name__ == "__main__":
    unittest.main(verbosity=2)
