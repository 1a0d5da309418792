"""The units under a real systemd: in virtual machines with Debian's kernel, whose init is Debian's systemd, so that
nothing on this machine is started or changed. What is shown there is tests/lab/systemd_guest.py for Navigator and
tests/lab/systemd_mesh_guest.py for Privateer.

Skipped without root, qemu, depmod, systemd, the binary that NAVIGATOR names, and what each machine runs.
"""

import os
import pathlib
import sys
import unittest

from support import ROOT

sys.path.insert(0, str(ROOT / "tests/support"))
import kernel_machine

FOLDER = ROOT / "build/systemd-machine"
NAVIGATOR = os.environ.get("NAVIGATOR", str(ROOT / "build/release/bin/navigator"))
PROGRAMS = ("id", "ls", "stat", "kill", "cat", "/usr/bin/python3")
PACKAGES = ("pdns-server", "pdns-backend-remote", "bird2")
MESH_PROGRAMS = (*PROGRAMS, "env", "ip", "wg", "date", "setpriv")
MESH_PACKAGES = ("bird2", "wireguard-go", "dbus", "dbus-daemon", "dbus-system-bus-common", "polkitd")
USERS = (("root", 0), ("pdns", 900), ("nobody", 65534))


def ready(*programs):
    return (os.geteuid() == 0 and kernel_machine.MACHINE and kernel_machine.DEPMOD
            and all(map(os.path.exists, ("/lib/systemd/systemd", *programs))) and os.access(NAVIGATOR, os.X_OK))


def texts():
    """The files of a system that its packages do not bring."""
    yield "etc/passwd", "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in USERS), 0o644
    yield "etc/group", "".join(f"{name}:x:{number}:\n" for name, number in USERS), 0o644
    yield "etc/machine-id", "5ca1ab1e" * 4 + "\n", 0o444  # a system that has one does not ask its first questions
    for unit in sorted((ROOT / "packaging/systemd").glob("*.[sp]*")):
        if unit.suffix in (".service", ".path"):
            yield f"usr/lib/systemd/system/{unit.name}", unit.read_text(encoding="utf-8"), 0o644
        elif unit.suffix == ".sysusers":
            yield f"usr/lib/sysusers.d/{unit.stem}.conf", unit.read_text(encoding="utf-8"), 0o644
    for folder, suffix, place in (("systemd", "tmpfiles", "lib/tmpfiles.d/{}.conf"),
                                  ("polkit", "rules", "share/polkit-1/rules.d/50-{}.rules")):
        for file in (ROOT / "packaging" / folder).glob(f"*.{suffix}"):
            yield f"usr/{place.format(file.stem)}", file.read_text(encoding="utf-8"), 0o644


class SystemdTest(unittest.TestCase):
    def run_machine(self, name, programs, packages):
        """The console of a machine in which tests/lab/NAME.py passed."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        shared = ROOT / "build/kernel"
        shared.mkdir(exist_ok=True)
        machine = kernel_machine.KernelMachine(FOLDER, kernels=shared)
        privateer = pathlib.Path(NAVIGATOR).parent / "privateer"
        machine.build_system(f"/usr/bin/python3 /sovereign/tests/lab/{name}.py 2>&1", programs,
                             [(ROOT / folder, f"/sovereign/{folder}") for folder in
                              ("tests/lab", "tests/support", "tests/integration")],
                             packages, texts(), {NAVIGATOR: "/usr/bin/navigator", str(privateer): "/usr/bin/privateer"})
        code, console = machine.run(900)
        (FOLDER / f"{name}.console").write_text(console, encoding="utf-8")
        self.assertEqual(code, 0, console[-8000:])
        return console

    @unittest.skipUnless(ready("/usr/sbin/pdns_server"),
                         "needs root, qemu-system-x86, kmod, systemd, pdns_server and NAVIGATOR")
    def test_restarts_by_systemd_lose_no_query(self):
        console = self.run_machine("systemd_guest", PROGRAMS, PACKAGES)
        print("  restarts" + console.partition("  restarts")[2].partition("\n")[0])

    @unittest.skipUnless(ready("/usr/sbin/bird", "/usr/bin/wireguard-go", "/usr/lib/polkit-1/polkitd",
                               "/usr/bin/dbus-daemon"),
                         "needs root, qemu-system-x86, kmod, systemd, bird, wireguard-go, polkitd, dbus and NAVIGATOR")
    def test_wireguard_go_outlives_the_agent_as_a_unit(self):
        console = self.run_machine("systemd_mesh_guest", MESH_PROGRAMS, MESH_PACKAGES)
        print("  wireguard-go" + console.partition("  wireguard-go")[2].partition("\n")[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
