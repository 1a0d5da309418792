"""Navigator's unit under a real systemd: in a virtual machine with Debian's kernel, whose init is Debian's systemd, so
that nothing on this machine is started or changed. What is shown there is tests/lab/systemd_guest.py. Privateer's
units: tests/lab/systemd_mesh_test.py.

Skipped without root, qemu, depmod, systemd, pdns_server and the binary that NAVIGATOR names.
"""

import os
import pathlib
import sys
import unittest

from support import ROOT

sys.path.insert(0, str(ROOT / "tests/support"))
import kernel_machine

NAVIGATOR = os.environ.get("NAVIGATOR", str(ROOT / "build/release/bin/navigator"))
PROGRAMS = ("id", "ls", "stat", "kill", "cat", "/usr/bin/python3")
PACKAGES = ("pdns-server", "pdns-backend-remote", "bird2")
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


def run_machine(test, guest, programs, packages):
    """The console of a machine in which tests/lab/GUEST.py passed."""
    folder, shared = ROOT / "build/systemd-machines" / guest, ROOT / "build/kernel"
    for each in (folder, shared):
        each.mkdir(parents=True, exist_ok=True)
    machine = kernel_machine.KernelMachine(folder, kernels=shared)
    privateer = pathlib.Path(NAVIGATOR).parent / "privateer"
    machine.build_system(f"/usr/bin/python3 /sovereign/tests/lab/{guest}.py 2>&1", programs,
                         [(ROOT / each, f"/sovereign/{each}") for each in
                          ("tests/lab", "tests/support", "tests/integration")],
                         packages, texts(), {NAVIGATOR: "/usr/bin/navigator", str(privateer): "/usr/bin/privateer"})
    code, console = machine.run(900)
    (folder / "console").write_text(console, encoding="utf-8")
    test.assertEqual(code, 0, console[-8000:])
    return console


class SystemdTest(unittest.TestCase):
    @unittest.skipUnless(ready("/usr/sbin/pdns_server"),
                         "needs root, qemu-system-x86, kmod, systemd, pdns_server and NAVIGATOR")
    def test_restarts_by_systemd_lose_no_query(self):
        console = run_machine(self, "systemd_guest", PROGRAMS, PACKAGES)
        print("  restarts" + console.partition("  restarts")[2].partition("\n")[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
