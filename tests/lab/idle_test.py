"""An agent that has nothing to do does nothing: no netlink message that changes something, no command to BIRD or to
wireguard-go but questions, no program started, no file written. Ten seconds, a minute under SOVEREIGN_LONG=1. Skipped
without root, ip, bird, wg, wireguard-go, nft, strace and the binary that PRIVATEER names."""

import pathlib
import re
import shutil
import signal
import subprocess
import threading
import unittest

from support import LONG, mesh_ready

from daemons import wait_until
from small_mesh import SmallMesh

SECONDS = 60 if LONG else 10
# Requests to the kernel that only ask, by name or, where strace does not know the socket's protocol, by number:
# rtnetlink's come in fours, of which the third asks; 0xa10 is NFT_MSG_GETGEN.
TYPE = re.compile(r"nlmsg_type=(0x[0-9a-f]+|[A-Z_<|0-9]+)")


def asks(kind):
    if not kind.startswith("0x"):
        return "GET" in kind
    number = int(kind, 16)
    return number == 0xA10 or (0x10 <= number < 0x100 and number % 4 == 2)


def changes(line):
    """Whether a line of strace tells of something that is no question. Answers and events come by recv, not here."""
    call = re.sub(r"^(\[pid +)?\d*\]? *", "", line)
    if call.startswith(("execve", "clone", "fork", "vfork")):
        return True
    if call.startswith("openat"):
        return any(flag in call for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")) and "= -1" not in call
    if call.startswith("rename") or call.startswith("unlink"):
        return "= -1" not in call
    if "nlmsg_type=" in call:
        return not all(map(asks, TYPE.findall(call)))
    return any(word in call for word in ('"set=1', '"configure', '"enable', '"disable', '"reload'))


@unittest.skipUnless(mesh_ready() and shutil.which("strace"),
                     "needs root, ip, bird, wg, wireguard-go, nft, strace and PRIVATEER")
class IdleTest(unittest.TestCase):
    def test_a_line_that_changes_something_is_told_from_a_question(self):
        question = 'sendto(9, [{nlmsg_len=32, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP}'
        for line in (question, 'sendmsg(12, {msg_iov=[{iov_base="show status\\n"',
                     'openat(AT_FDCWD, "/x", O_RDONLY) = 7',
                     'sendto(9, [{nlmsg_type=NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_GETGEN, nlmsg_flags=NLM_F_REQUEST'):
            self.assertFalse(changes(line), line)
        for number in ("0x12", "0x1a", "0xa10"):
            self.assertFalse(changes(question.replace("RTM_GETLINK", number)), number)
        for number in ("0x10", "0x14", "0x15", "0x19", "0xa0c"):
            self.assertTrue(changes(question.replace("RTM_GETLINK", number)), number)
        for line in (question.replace("GETLINK", "NEWADDR"), 'sendmsg(12, {msg_iov=[{iov_base="configure\\n"',
                     '[pid 77] execve("/usr/sbin/nft", ...', 'openat(AT_FDCWD, "/x", O_WRONLY|O_CREAT, 0644) = 7'):
            self.assertTrue(changes(line), line)

    def test_an_idle_agent_changes_nothing(self):
        mesh = SmallMesh("sovidle-", ("ann", "bob"))
        self.addCleanup(mesh.close)
        mesh.up()
        calm = lambda: (mesh.status("ann")["trial_revision"] == -1 and mesh.status("ann")["in_order"]
                        and not mesh.status("ann")["waiting_removals"])
        mesh.wait("ann is calm", calm, 60, 0.5)
        state = pathlib.Path(mesh.path("ann", "state"))
        kept = lambda: any(state.joinpath("worlds").glob(f"world-{mesh.status('ann')['revision']}*"))
        mesh.wait("ann has kept her world", kept, 30, 0.5)
        before = self.quiet_state(mesh)
        lines = self.traced(mesh.daemons.pid("ann", "agent"))
        loud = [line for line in lines if changes(line)]
        asked = [line for line in lines if "nlmsg_type=" in line]
        print(f"    {SECONDS} s: {len(lines)} calls, {len(asked)} questions by netlink, {len(loud)} changes",
              flush=True)
        self.assertTrue(asked, "nothing was traced")
        self.assertEqual(loud, [])
        self.assertEqual(self.quiet_state(mesh), before)

    def traced(self, pid):
        tracer = subprocess.Popen(("strace", "-f", "-qq", "-s", "64", "-e",
                                   "trace=sendto,sendmsg,openat,rename,renameat,renameat2,unlink,unlinkat,execve,clone,"
                                   "clone3,fork,vfork", "-p", str(pid)), stderr=subprocess.PIPE, text=True)
        try:
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(tracer.stderr), daemon=True)
            reader.start()
            wait_until("strace sees the agent", lambda: any("nlmsg_type=" in line for line in lines), 20)
            done = threading.Event()
            done.wait(SECONDS)  # the time that is looked at
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(10)
        reader.join(10)
        tracer.stderr.close()
        return lines

    def quiet_state(self, mesh):
        metrics = subprocess.run(("curl", "-s", "--unix-socket", mesh.path("ann", "agent.sock"), "http://x/metrics"),
                                 capture_output=True, text=True, check=True).stdout
        counted = ("privateer_changes_total", "privateer_failures_total")
        return [line for line in metrics.splitlines() if line.startswith(counted)]


if __name__ == "__main__":
    unittest.main(verbosity=2)
