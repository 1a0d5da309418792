"""Network namespaces of one lab: made, entered and removed by their names alone.

Everything of a lab lives in namespaces whose names begin with its prefix, so `down` needs no record of what `up` did:
it lists them, kills what runs inside, deletes them, and every device, address, route and packet filter goes with them.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import time

_RUN_NETNS = "/run/netns"
_CLONE_NEWNET = 0x40000000
# Addresses are usable at once, because nobody else can hold them here. No redirects: a gateway that sends a packet back
# out of the interface it came from (anycast to a server beside the client) would teach the client a route that outlives
# the server's announcement.
_SYSCTLS = {f"{family}/conf/{which}/{key}": "0" for which in ("all", "default") for family, key in (
    ("ipv6", "accept_dad"), ("ipv4", "rp_filter"), ("ipv4", "send_redirects"), ("ipv4", "accept_redirects"),
    ("ipv6", "accept_redirects"))}
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """A sentence for the operator."""


def run(*argv, input=None, timeout=30, check=True):
    """A command to its end; its stdout. Failure is a LabError that quotes the command's own words."""
    done = subprocess.run(argv, input=input, capture_output=True, text=True, timeout=timeout, check=False,
                          **({} if input is not None else {"stdin": subprocess.DEVNULL}))
    if check and done.returncode != 0:
        raise LabError(f"'{' '.join(argv)}' failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _setns(fd):
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


class Namespaces:
    def __init__(self, prefix, state):
        self.prefix = prefix
        self.state = state                      # folder of this lab under /run/sovereign-lab
        self._own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def name(self, short):
        return self.prefix + short

    def existing(self):
        try:
            return sorted(n for n in os.listdir(_RUN_NETNS) if n.startswith(self.prefix))
        except FileNotFoundError:
            return []

    def create(self, shorts):
        run("ip", "-batch", "-", input="".join(f"netns add {self.name(s)}\n" for s in shorts))
        for short in shorts:
            with self.entered(short):
                for path, value in _SYSCTLS.items():
                    with open(f"/proc/sys/net/{path}", "w", encoding="ascii") as file:
                        file.write(value)
            self.ip(short, "link set lo up")

    def ip(self, short, *lines):
        """Lines of `ip -batch` inside a namespace."""
        run("ip", "-n", self.name(short), "-batch", "-", input="".join(line + "\n" for line in lines))

    def nft(self, short, text):
        run(*self.argv(short, "nft", "-f", "-"), input=text)

    @contextlib.contextmanager
    def entered(self, short):
        """The calling thread is inside the namespace; sockets made here stay there for their life."""
        fd = os.open(f"{_RUN_NETNS}/{self.name(short)}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(fd)
            try:
                yield
            finally:
                _setns(self._own)
        finally:
            os.close(fd)

    def socket(self, short, family, kind=socket.SOCK_DGRAM):
        with self.entered(short):
            return socket.socket(family, kind)

    def argv(self, short, *command):
        """A command inside the namespace. /run/wireguard is the node's own folder there: wireguard-go's sockets are
        named after interfaces, and nodes share interface names."""
        private = self.state / short / "wireguard"
        private.mkdir(parents=True, exist_ok=True)
        os.makedirs("/run/wireguard", exist_ok=True)
        return ("ip", "netns", "exec", self.name(short), "sh", "-c",
                'mount --bind "$0" /run/wireguard && exec "$@"', str(private), *map(str, command))

    def pids(self, name):
        out = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False, timeout=30,
                             stdin=subprocess.DEVNULL).stdout
        return [int(pid) for pid in out.split() if int(pid) != os.getpid()]

    def remove_all(self):
        """Kills first and deletes second: a namespace deleted under living processes goes on without a name."""
        names = self.existing()
        killed = 0
        deadline = time.monotonic() + 15
        left = names
        while left and time.monotonic() < deadline:
            pids = [pid for name in left for pid in self.pids(name)]
            killed += kill_and_wait(pids, signal.SIGKILL, 3)
            left = [name for name in left if self.pids(name)]
        if names:
            run("ip", "-batch", "-", input="".join(f"netns del {name}\n" for name in names))
        return len(names), killed


def kill_and_wait(pids, how, seconds):
    """Sends a signal to processes by pid and waits for their end. How many were there."""
    waiting = {}
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
            signal.pidfd_send_signal(fd, how)
            waiting[fd] = pid
        except ProcessLookupError:
            continue
    count = len(waiting)
    deadline = time.monotonic() + seconds
    while waiting and time.monotonic() < deadline:
        ready, _, _ = select.select(list(waiting), [], [], max(0.0, deadline - time.monotonic()))
        for fd in ready:
            pid = waiting.pop(fd)
            os.close(fd)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
    for fd in waiting:
        os.close(fd)
    return count
