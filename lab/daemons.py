"""Long-running programs of a lab: each inside its namespace, in a session of its own, stdin from /dev/null, output
appended to a log in the state folder, its pid in a file beside it."""

import os
import signal
import time

from namespaces import LabError, kill_and_wait


class Daemons:
    def __init__(self, spaces, state):
        self.spaces = spaces
        self.state = state

    def folder(self, node):
        path = self.state / node
        path.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, node, name):
        return self.folder(node) / f"{name}.log"

    def _pid_file(self, node, name):
        return self.folder(node) / f"{name}.pid"

    def start(self, node, name, *argv, env=None):
        """Starts a program; returns the moment (monotonic)."""
        command = self.spaces.argv(node, *argv)
        output = (os.POSIX_SPAWN_OPEN, 1, str(self.log(node, name)), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        began = time.monotonic()
        pid = os.posix_spawnp(command[0], command, {**os.environ, **(env or {})}, setsid=True, setsigdef=[
            signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE], file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)])
        self._pid_file(node, name).write_text(str(pid), encoding="ascii")
        # Until `ip netns exec` has entered the namespace nothing tells this pid from somebody else's.
        wait_until(f"{name} enters the namespace of {node}",
                   lambda: self.pid(node, name) is not None or not self._runs(pid), 10, 0.002)
        return began

    @staticmethod
    def _runs(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def pid(self, node, name):
        """The pid when the program runs, else None. A pid that is now somebody else's is not taken for it."""
        try:
            pid = int(self._pid_file(node, name).read_text(encoding="ascii"))
            inside = os.stat(f"/run/netns/{self.spaces.name(node)}").st_ino
            if os.stat(f"/proc/{pid}/ns/net").st_ino != inside:
                return None
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                return None if file.read().rsplit(")", 1)[1].split()[0] == "Z" else pid
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None

    def stop(self, node, name, how=signal.SIGTERM, seconds=10):
        """Sends a signal and waits for the end. Returns the moment the signal was sent."""
        pid = self.pid(node, name)
        if pid is None:
            raise LabError(f"{name} does not run on {node}")
        sent = time.monotonic()
        kill_and_wait([pid], how, seconds)
        if self.pid(node, name) is not None:
            raise LabError(f"{name} on {node} did not end within {seconds} s")
        return sent

    def require_alive(self, node, name):
        if self.pid(node, name) is None:
            raise LabError(f"{name} on {node} ended:\n{self.tail(node, name, 5)}")

    def tail(self, node, name, lines):
        try:
            text = self.log(node, name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return "    (no log)"
        return "\n".join("    " + line[:300] for line in text.splitlines()[-lines:]) or "    (empty log)"


def wait_until(what, condition, seconds, every=0.05):
    """Observes until `condition()` gives a true value, which is returned; a LabError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"not within {seconds:g} s: {what}")
        time.sleep(every)
