"""The lab end to end: the whole story holds, and `down` cleans up whatever a killed run left. Needs root and the
binaries (SOVEREIGN_BIN's, or build/release/bin); else skipped. It takes minutes, and wants the machine for itself."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

from support import ROOT

from namespaces import Namespaces

BINARIES = pathlib.Path(os.environ.get("NAVIGATOR", ROOT / "build/release/bin/navigator")).parent
PREFIX = "sovstory-"
TOOLS = ("ip", "nft", "bird", "pdns_server", "nginx", "pebble", "openssl", "curl")


def lab(*arguments):
    return [sys.executable, str(ROOT / "lab/lab.py"), "--prefix", PREFIX, "--binaries", str(BINARIES), *arguments]


@unittest.skipUnless(os.geteuid() == 0 and all(map(shutil.which, TOOLS)), "needs root and the lab's programs")
@unittest.skipUnless((BINARIES / "privateer").exists() and (BINARIES / "navigator").exists(), "needs the binaries")
class Story(unittest.TestCase):
    def leftovers(self):
        spaces = Namespaces(PREFIX, pathlib.Path("/nonexistent"))
        return spaces.existing(), os.path.exists(f"/run/sovereign-lab/{PREFIX}")

    def tearDown(self):
        subprocess.run(lab("down"), check=False, timeout=60, stdin=subprocess.DEVNULL)

    def test_every_row_of_the_story_holds_and_nothing_is_left(self):
        limit = pathlib.Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="ascii")
        # As a CI system starts it: no terminal, no input, next to no environment. What must happen must happen; how
        # fast it did is for the table alone.
        done = subprocess.run(lab("--no-targets"), env={"PATH": os.environ["PATH"], "CI": "true"},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=800, check=False,
                              start_new_session=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.leftovers(), ([], False))
        self.assertEqual(pathlib.Path("/proc/sys/fs/inotify/max_user_instances").read_text(encoding="ascii"), limit)

    def test_down_removes_what_a_run_killed_at_any_moment_left(self):
        for seconds in (0.4, 1.5, 4.0):
            with self.subTest(seconds=seconds):
                with subprocess.Popen(lab("up"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, start_new_session=True) as process:
                    time.sleep(seconds)  # the moment of the kill is what this test varies
                    process.send_signal(signal.SIGKILL)
                subprocess.run(lab("down"), check=True, timeout=60, stdin=subprocess.DEVNULL)
                self.assertEqual(self.leftovers(), ([], False))

    def test_a_signal_takes_everything_down(self):
        with subprocess.Popen(lab(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, start_new_session=True) as process:
            for line in process.stdout:
                if "have joined" in line:
                    break
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
            self.assertEqual(process.wait(60), 130)
        self.assertEqual(self.leftovers(), ([], False))


if __name__ == "__main__":
    unittest.main()
