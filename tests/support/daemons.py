"""What every Python suite needs to run real daemons: ports, polling, processes whose output is kept, HTTP on a unix
socket.

Every wait observes a condition under a deadline; nothing here sleeps to let something happen.
"""
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

DEADLINE = 30.0


# Suites run beside each other, and the kernel gives the ports from 32768 up to any connection: each process takes its
# ports from a thousand of its own below them, which it holds by the name of an abstract socket until it ends.
FIRST_PORT, SLICE, SLICES = 10000, 1000, 22
_slice = None
_next_port = None


def _hold_a_slice():
    for number in range(SLICES):
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            holder.bind(f"\0sovereign-tests-ports-{number}")
        except OSError:
            holder.close()
            continue
        return holder, FIRST_PORT + number * SLICE
    raise AssertionError(f"{SLICES} suites run already")


def free_port(address="127.0.0.1"):
    """A port that is free there for UDP and for TCP, and that no other suite will choose."""
    global _slice, _next_port
    if _slice is None:
        _slice = _hold_a_slice()
        _next_port = _slice[1]
    for _ in range(SLICE):
        port = _next_port
        _next_port = _slice[1] + (port + 1 - _slice[1]) % SLICE
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM
        ) as twin:
            # As servers do: a port whose connections are still fading away is free for one.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                twin.bind((address, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port is free from {_slice[1]} to {_slice[1] + SLICE - 1}")


def wait_for(what, condition, deadline=DEADLINE, interval=0.02):
    """Polls `condition` until it yields something true; fails with its last value at the deadline."""
    end = time.monotonic() + deadline
    seen = None
    while time.monotonic() < end:
        try:
            seen = condition()
            if seen:
                return seen
        except OSError as error:
            seen = error
        time.sleep(interval)
    raise AssertionError(f"{what}: not within {deadline} s; last seen: {seen!r}")


def run(*argv, check=True, stdin=None, env=None, timeout=120, cwd=None):
    """A command's outcome with its output as text; AssertionError when it must succeed and did not."""
    environment = None if env is None else {**os.environ, **env}
    done = subprocess.run(
        argv,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
        cwd=cwd,
        errors="backslashreplace",
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Folder:
    """A temporary folder and the files in it."""

    def __init__(self, prefix="sovereign-", parent=None):
        self.folder = tempfile.mkdtemp(prefix=prefix, dir=parent)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def log(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Daemon:
    """A child process that writes to a log file and is stopped by its own handle only."""

    def __init__(self, argv, log, **options):
        self.argv = argv
        self.log_path = log
        with open(log, "ab") as stream:
            self.process = subprocess.Popen(argv, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL, **options)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def check(self):
        """Fails with the end of the log when the process has ended."""
        if not self.running():
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                tail = "".join(file.readlines()[-40:])
            raise AssertionError(f"{self.argv[0]} ended with {self.process.returncode}:\n{tail}")

    def stop(self, how=signal.SIGTERM, deadline=DEADLINE):
        """The exit code; a process that does not end in time is killed."""
        if self.running():
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout=deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        return 0


class UnixConnection(http.client.HTTPConnection):
    """http.client over a unix socket."""

    def __init__(self, path, timeout=20):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
