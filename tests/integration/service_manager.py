"""As much of systemd as a daemon with FileDescriptorStoreMax= sees: it takes notifications, keeps descriptors, starts anew.

NOTIFY_SOCKET takes FDSTORE=1, FDSTOREREMOVE=1 and BARRIER=1 as sd_notify(3) says; a start passes what is stored as
sd_listen_fds(3) says.
"""
import array
import os
import select
import signal
import socket
import subprocess
import sys
import threading

# Passes descriptors on as 3, 4, ... and becomes the daemon, so that LISTEN_PID is its pid.
SHIM = """
import fcntl, os, sys
given = [int(word) for word in sys.argv[1].split(",") if word]
high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 1000) for fd in given]
for fd in given:
    os.close(fd)
for at, fd in enumerate(high):
    os.dup2(fd, 3 + at)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class ServiceManager:
    def __init__(self, folder, argv, log, store_max=128):
        self.argv = argv
        self.log = log
        self.store_max = store_max
        self.stored = []  # (name, descriptor)
        self.ready = threading.Event()
        self.process = None
        self.path = os.path.join(folder, "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.lock = threading.Lock()
        self.ended = False
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self):
        while not self.ended:
            if not select.select([self.socket], [], [], 0.1)[0]:
                continue
            data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(253 * 4))
            descriptors = array.array("i")
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    descriptors.frombytes(content[:len(content) - len(content) % descriptors.itemsize])
            self._take(dict(line.partition("=")[::2] for line in data.decode().splitlines()), list(descriptors))

    def _take(self, fields, descriptors):
        with self.lock:
            if fields.get("FDSTORE") == "1":
                for descriptor in descriptors:
                    if len(self.stored) < self.store_max:
                        self.stored.append((fields.get("FDNAME", "stored"), descriptor))
                    else:
                        os.close(descriptor)
                descriptors = []
            if fields.get("FDSTOREREMOVE") == "1":
                for name, descriptor in self.stored:
                    if name == fields.get("FDNAME"):
                        os.close(descriptor)
                self.stored = [one for one in self.stored if one[0] != fields.get("FDNAME")]
            for descriptor in descriptors:  # BARRIER=1: its closing is the answer
                os.close(descriptor)
            if fields.get("READY") == "1":
                self.ready.set()

    def names(self):
        with self.lock:
            return sorted(name for name, _ in self.stored)

    def start(self, *options, deadline=30):
        self.ready.clear()
        with self.lock:
            passed = list(self.stored)
        environment = dict(os.environ, NOTIFY_SOCKET=self.path)
        if passed:
            environment.update(LISTEN_FDS=str(len(passed)), LISTEN_FDNAMES=":".join(name for name, _ in passed))
        numbers = [descriptor for _, descriptor in passed]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", SHIM, ",".join(map(str, numbers)), *self.argv, *options],
                env=environment, pass_fds=numbers, stdout=log, stderr=log)
        if not self.ready.wait(deadline):
            raise AssertionError(f"the daemon was not ready within {deadline} s")

    def replace(self, deadline=30):
        """A second process takes the place of the first, which must end by itself; its exit code."""
        before = self.process
        self.start("--replace", deadline=deadline)
        return before.wait(timeout=deadline)

    def stop(self, how=signal.SIGTERM, deadline=30):
        self.process.send_signal(how)
        code = self.process.wait(timeout=deadline)
        self.process = None
        return code

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self.ended = True
        self.thread.join()
        self.socket.close()
        for _, descriptor in self.stored:
            os.close(descriptor)
        self.stored = []
