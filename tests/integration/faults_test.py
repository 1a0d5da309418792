#!/usr/bin/env python3
"""Faults under Navigator while a client asks without pause: not one answer may be wrong.

Wrong is REFUSED, NXDOMAIN or nothing for a name that exists, an answer where there is none, a forged address. No
answer and SERVFAIL are counted apart: they are allowed only from a kill -9 of the daemon until it is back, because
each connection of PowerDNS then loses the query in hand. PowerDNS asks for all zones every 3 s, so that a single
empty list would show.

Needs: the binary named by NAVIGATOR, root (a small tmpfs), cc; pdns-server, pdns-backend-remote. 6 s of each fault by
default, SOVEREIGN_LONG=1: ten minutes of all.
"""
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import dns_wire  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns_server  # noqa: E402

SECONDS = 70 if os.environ.get("SOVEREIGN_LONG") == "1" else 6  # of each of nine faults
ZONES = 20
NAMES = 30


def address(zone, number):
    return f"10.{zone}.0.{number}"


def zone_text(zone):
    apex = f"z{zone}.test."
    return (
        f"{apex} 3600 IN SOA ns1.{apex} hostmaster.{apex} 1 10800 3600 604800 300\n{apex} 3600 IN NS ns1.{apex}\n"
        + "".join(f"n{number}.{apex} 3600 IN A {address(zone, number)}\n" for number in range(NAMES))
    )


class Client(threading.Thread):
    """Asks names that exist and names that do not, one after the other, until stopped."""

    def __init__(self, port, seed):
        super().__init__(daemon=True)
        self.port = port
        self.draw = random.Random(seed)
        self.ended = threading.Event()
        self.excused = threading.Event()  # set while a lost answer is no fault
        self.right = 0
        self.lost_in_excuse = 0
        self.wrong = []

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.port))
            client.settimeout(8)
            number = 0
            while not self.ended.is_set():
                number = number + 1 & 0xFFFF
                self.ask(client, number)

    def ask(self, client, number):
        zone, name, exists = self.draw.randrange(ZONES), self.draw.randrange(NAMES), self.draw.random() < 0.8
        question = dns_wire.Question(f"{'n' if exists else 'm'}{name}.z{zone}.test.", 1, edns=False)
        excused = self.excused.is_set()
        try:
            client.send(question.message(number))
            while True:
                data = client.recv(4096)
                if data[:2] == number.to_bytes(2, "big"):
                    break
            answer = dns_wire.parse(data)
        except (TimeoutError, ConnectionError) as error:
            self.lose(question, repr(error), excused)
            return
        if answer.rcode == 2:
            self.lose(question, "SERVFAIL", excused)
        elif not exists and (answer.rcode != 3 or answer.sections[0]):
            self.wrong.append(f"{question.text()}: {answer.text()}")
        elif exists and [record[4] for record in answer.sections[0]] != [socket.inet_aton(address(zone, name))]:
            self.wrong.append(f"{question.text()}: {answer.text()}")
        else:
            self.right += 1

    def lose(self, question, how, excused):
        if excused or self.excused.is_set():
            self.lost_in_excuse += 1
        else:
            self.wrong.append(f"{question.text()}: {how}")


class Faults(unittest.TestCase):
    parent = None  # where the folder lies
    environment = None  # of the daemon, beside this process's own

    def setUp(self):
        self.folder = daemons.Folder(prefix="navigator-faults-", parent=self.parent)
        self.addCleanup(self.folder.remove)
        # No cache hides an answer of the backend, and the list of zones comes often.
        remote = self.folder.path("remote.sock")
        self.server = powerdns_server.PowerDns(
            self.folder,
            "pdns",
            powerdns_server.unix(remote, 5000),
            {**powerdns_server.CACHES_OFF, "zone-cache-refresh-interval": 3},
        )
        self.navigator = navigator_daemon.Navigator(self.folder, [self.server.control])
        self.addCleanup(self.navigator.stop)
        self.addCleanup(self.server.stop)
        self.navigator.start(env={**os.environ, **(self.environment or {})})
        for zone in range(ZONES):
            self.navigator.import_zone(f"z{zone}.test", zone_text(zone))
        self.server.start()
        self.clients = [Client(self.server.port, seed) for seed in range(3)]
        for client in self.clients:
            client.start()
        self.end = time.monotonic() + SECONDS

    def right(self):
        return sum(client.right for client in self.clients)

    def keep_asking(self, seconds=2.0, shorten=True):
        """Some seconds of questions, and proof that they were answered."""
        begin = self.right()
        pause = min(seconds, max(0.2, self.end - time.monotonic())) if shorten else seconds
        daemons.wait_for("answers", lambda: self.right() >= begin + 50, 30)
        threading.Event().wait(pause)  # not for anything to happen: this long the fault lasts

    def going_on(self):
        return time.monotonic() < self.end

    def settle(self):
        """Two more lists of zones, then the count."""
        begin = self.zone_lists()
        daemons.wait_for("lists of zones after the fault", lambda: self.zone_lists() >= begin + 2, 30)
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(30)
        wrong = [text for client in self.clients for text in client.wrong]
        lost = sum(client.lost_in_excuse for client in self.clients)
        name = self.id().rsplit(".", 1)[1]
        print(f"  {name}: {self.right()} right, {len(wrong)} wrong, {lost} lost while the daemon was down", flush=True)
        self.assertEqual(len(wrong), 0, "\n".join(wrong[:10]))
        self.assertGreater(self.right(), 500)

    def zone_lists(self):
        """How often PowerDNS was told all zones, by the daemon's own count."""
        _, text = self.navigator.call("GET", "/metrics")
        return sum(
            float(line.split()[-1])
            for line in text.splitlines()
            if line.startswith("navigator_remote_requests_total") and '"getAllDomains"' in line
        )

    def put(self, number):
        """One change beside what is asked; its status."""
        return self.navigator.call(
            "PUT",
            f"/v1/zones/z{number % ZONES}.test/rrsets",
            '{"rrsets":[{"name":"extra","type":"A","ttl":60,"contents":["192.0.2.%d"]}]}' % (number % 250),
            timeout=60,
        )

    def changes_work(self):
        daemons.wait_for("a change", lambda: self.put(random.randrange(1000))[0] == 200, 30, 0.2)


class Store(Faults):
    def test_the_store_is_locked_by_another_program(self):
        statuses = set()
        while self.going_on():
            other = sqlite3.connect(self.folder.path("navigator.db"), isolation_level=None, timeout=5)
            try:
                other.execute("BEGIN IMMEDIATE")
                changer = threading.Thread(target=lambda: statuses.add(self.put(1)[0]), daemon=True)
                changer.start()
                self.keep_asking(7, shorten=False)  # longer than Navigator's own patience with a lock
                other.execute("ROLLBACK")
            finally:
                other.close()
            changer.join(60)
            self.assertFalse(changer.is_alive())
            self.changes_work()
        self.assertTrue(statuses - {200}, f"no change was ever refused: {statuses}")
        self.settle()

    def test_the_database_is_overwritten_with_rubbish(self):
        draw = random.Random(1)
        path = self.folder.path("navigator.db")
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            for _ in range(200):
                file.seek(draw.randrange(size))
                file.write(draw.randbytes(64))
        while self.going_on():
            self.put(random.randrange(1000))  # whatever comes of it
            self.keep_asking(1)
        self.settle()

    def test_the_database_is_removed(self):
        for name in ("navigator.db", "navigator.db-wal", "navigator.db-shm"):
            if os.path.exists(self.folder.path(name)):
                os.unlink(self.folder.path(name))
        while self.going_on():
            status, answer = self.put(random.randrange(1000))
            self.assertEqual(status, 503, answer)  # SQLite would write to what nobody finds again
            self.keep_asking(1)
        self.settle()


class SlowDisk(Faults):
    """Every sync takes 0.7 s: changes wait for it, lookups never do."""

    @classmethod
    def setUpClass(cls):
        holder = daemons.Folder(prefix="navigator-slow-")
        cls.addClassCleanup(holder.remove)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support", "slow_disk.c")
        library = holder.path("slow_disk.so")
        daemons.run("cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl")
        cls.switch = holder.path("slow")
        cls.environment = {"LD_PRELOAD": library, "SLOW_DISK": cls.switch}

    def test_every_sync_is_slow(self):
        taken = []
        with open(self.switch, "wb"):
            pass
        while self.going_on():
            begin = time.monotonic()
            before = self.right()
            self.assertEqual(self.put(len(taken))[0], 200)
            taken.append(time.monotonic() - begin)
            self.assertGreater(self.right(), before, "lookups waited for the disk")
        # A library that was not loaded would make this test one that cannot fail.
        self.assertGreater(min(taken), 0.7)
        self.settle()


class FullDisk(Faults):
    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("a small tmpfs needs root")
        cls.holder = daemons.Folder(prefix="navigator-full-")
        cls.addClassCleanup(cls.holder.remove)
        cls.parent = cls.holder.folder
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "none", cls.parent], capture_output=True, check=False
        )
        if done.returncode != 0:
            raise unittest.SkipTest("this machine mounts no tmpfs")
        cls.addClassCleanup(subprocess.run, ["umount", "-l", cls.parent], check=True)

    def test_the_disk_fills_up_and_empties_again(self):
        while self.going_on():
            refused = 0
            with open(self.folder.path("ballast"), "wb", buffering=0) as ballast:
                try:
                    while True:
                        ballast.write(b"\0" * 4096)
                except OSError:
                    pass
            for number in range(200):
                refused += self.put(number)[0] != 200
            self.assertGreater(refused, 0, "the disk was not full")
            self.keep_asking(2)
            os.unlink(self.folder.path("ballast"))
            self.changes_work()
            self.keep_asking(1)
        self.settle()


class Daemon(Faults):
    def test_kill_9_and_start_again_and_again(self):
        while self.going_on():
            for client in self.clients:
                client.excused.set()
            self.navigator.stop(signal.SIGKILL)
            self.navigator.start()
            self.changes_work()
            # Every connection of PowerDNS has met the new process once this many answers in a row were right.
            begin = self.right()
            daemons.wait_for("answers again", lambda: self.right() >= begin + 200, 30)
            for client in self.clients:
                client.excused.clear()
            self.keep_asking(2)
        self.settle()

    def test_the_daemon_is_stopped_for_a_while(self):
        """A stop that is shorter than the patience of PowerDNS: nothing may be lost."""
        while self.going_on():
            self.navigator.daemon.process.send_signal(signal.SIGSTOP)
            try:
                threading.Event().wait(1)  # as long as the pause lasts; PowerDNS drops what waited 1.5 s
            finally:
                self.navigator.daemon.process.send_signal(signal.SIGCONT)
            self.keep_asking(1)
        self.settle()


class Socket(Faults):
    def test_rubbish_on_the_socket_beside_good_requests(self):
        draw = random.Random(2)
        rubbish = [
            b"",
            b"\0",
            b"{",
            b"[]",
            b"null",
            b'{"method":"lookup"}',
            b'{"method":7,"parameters":{}}',
            b"\xff" * 1000,
            b'{"method":"getAllDomains","parameters":',
            b"[" * 20000,
            b'{"method":"unheardOf","parameters":{}}',
            b'{"method":"lookup","parameters":{"qname":"x","qtype":"A","zone-id":1e99}}',
            b"x" * 200000,
            b'{"method":"commitTransaction","parameters":{"trxid":1}}',
            b'{"method":"getDomainInfo","parameters":{"name":"' + b"a" * 70000 + b'"}}',
        ]
        while self.going_on():
            for line in rubbish:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
                    peer.settimeout(5)
                    peer.connect(self.navigator.remote)
                    try:
                        peer.sendall(line + b"\n" * draw.randrange(2))
                        if draw.random() < 0.5:
                            peer.shutdown(socket.SHUT_WR)
                            while peer.recv(65536):
                                pass
                    except OSError:
                        pass  # closed on us, as it should be
            self.keep_asking(0.2)
        self.settle()

    def test_idle_and_half_open_connections(self):
        """More connections than Navigator takes, most silent or stuck in the middle of a line."""
        while self.going_on():
            held = []
            try:
                for number in range(50):
                    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    peer.settimeout(5)
                    peer.connect(self.navigator.remote)
                    held.append(peer)
                    if number % 2:
                        peer.sendall(b'{"method":"initialize","par')
                self.keep_asking(4)
            finally:
                for peer in held:
                    peer.close()
        self.settle()


if __name__ == "__main__":
    unittest.main(verbosity=2)
