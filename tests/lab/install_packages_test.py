"""packaging/install-packages with a made-up apt: nothing of the machine is touched."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import ROOT


class InstallPackages(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="install-packages-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        packaging = self.folder / "packaging"
        (packaging / "packages").mkdir(parents=True)
        shutil.copy(ROOT / "packaging/install-packages", packaging)
        (packaging / "packages/build").write_text("# tools\nalpha  # first\nbeta | gamma\n\n", encoding="utf-8")
        self.script = packaging / "install-packages"
        self.policy = self.folder / "policy-rc.d"
        self.installed = self.folder / "installed"
        self.installed.write_text("", encoding="utf-8")
        self.calls = self.folder / "calls"
        for name in ("bash", "sed", "grep", "wc", "tr", "mktemp", "rm", "mv", "chmod", "tail", "dirname", "cat", "sh"):
            os.symlink(shutil.which(name), self.bin / name)
        self.tool("dpkg-query", f'grep -qx "$4" {self.installed} && printf installed || exit 1')
        self.tool("id", "echo ${FAKE_UID:-0}")
        self.tool("apt-get", f'echo "$@" >>{self.calls}; [ -e {self.folder}/policy-rc.d ] && sh {self.policy} || '
                             f'echo "policy $?" >>{self.calls}; exit ${{FAKE_APT:-0}}')

    def tool(self, name, text):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def run_script(self, *arguments, **environment):
        return subprocess.run([self.script, *arguments], capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL,
                              env={"PATH": str(self.bin), "SOVEREIGN_POLICY_RC_D": str(self.policy), **environment})

    def apt_calls(self):
        return self.calls.read_text(encoding="utf-8") if self.calls.exists() else ""

    def test_says_one_line_when_nothing_is_missing(self):
        self.installed.write_text("alpha\ngamma\n", encoding="utf-8")
        done = self.run_script("build", FAKE_UID="1000")
        self.assertEqual((done.returncode, done.stdout.count("\n"), self.apt_calls()), (0, 1, ""), done.stderr)

    def test_installs_only_what_is_missing_and_lets_no_service_start(self):
        self.installed.write_text("gamma\n", encoding="utf-8")
        done = self.run_script("build")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("alpha", self.apt_calls())
        self.assertNotIn("beta", self.apt_calls())
        self.assertIn("policy 101", self.apt_calls())
        self.assertFalse(self.policy.exists())

    def test_puts_a_former_policy_back_also_when_apt_fails(self):
        self.policy.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        done = self.run_script("build", FAKE_APT="100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt could not install: alpha beta", done.stderr)
        self.assertIn("policy 101", self.apt_calls())
        self.assertEqual(self.policy.read_text(encoding="utf-8"), "#!/bin/sh\nexit 0\n")

    def test_mends_what_a_killed_run_left(self):
        self.tool("apt-get", "kill -9 $PPID")
        self.policy.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        self.run_script("build")
        self.assertIn("101", self.policy.read_text(encoding="utf-8"), "the kill came too late to test anything")
        self.tool("apt-get", "exit 0")
        self.assertEqual(self.run_script("build").returncode, 0)
        self.assertEqual(self.policy.read_text(encoding="utf-8"), "#!/bin/sh\nexit 0\n")

    def test_units_that_came_along_are_disabled_also_after_a_kill(self):
        units, runs = self.folder / "units", self.folder / "systemd"
        units.mkdir()
        runs.mkdir()
        (units / "nginx.service").touch()
        disabled = self.folder / "disabled"
        self.tool("systemctl", f'echo "$3" >>{disabled}')
        places = {"SOVEREIGN_UNIT_FOLDERS": str(units), "SOVEREIGN_SYSTEMD_RUNS": str(runs)}
        self.tool("apt-get", f": >{units}/bird.service; printf 'alpha\nbeta\n' >{self.installed}; kill -9 $PPID")
        self.run_script("build", **places)
        self.assertFalse(disabled.exists(), "the kill came too late to test anything")
        done = self.run_script("build", **places)
        self.assertIn("nothing is missing", done.stdout)
        self.assertEqual(disabled.read_text(encoding="utf-8"), "bird.service\n", "nginx was there before")
        self.assertFalse(self.policy.exists())
        self.run_script("build", **places)
        self.assertEqual(disabled.read_text(encoding="utf-8"), "bird.service\n", "a unit enabled by hand stays so")

    def test_says_so_when_not_root_or_not_debian_or_asked_for_nonsense(self):
        done = self.run_script("build", FAKE_UID="1000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("must run as root to install: alpha beta", done.stderr)
        self.assertEqual(self.run_script("nonsense").returncode, 2)
        (self.bin / "apt-get").unlink()
        done = self.run_script("build")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not Debian", done.stderr)

    def test_lists_name_each_package_once(self):
        for path in (ROOT / "packaging/packages").iterdir():
            lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
            names = [line for line in lines if line]
            self.assertEqual(len(names), len(set(names)), path.name)
            self.assertTrue(names, path.name)


if __name__ == "__main__":
    unittest.main()
