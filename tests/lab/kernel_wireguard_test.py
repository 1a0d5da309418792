"""tests/lab/wireguard_test.py with the kernel's own WireGuard. Where this kernel has none, it runs in a virtual machine
with Debian's kernel; where it has, that suite itself is the test. Skipped without root, qemu, depmod and the binary
that PRIVATEER names."""

import sys
import unittest

from support import ROOT
import wireguard_test

sys.path.insert(0, str(ROOT / "tests/support"))
import kernel_machine

FOLDER = ROOT / "build/kernel"
PROGRAMS = ("ip", "bird", "wg", "unshare", "sysctl", "env", "dirname", "/usr/bin/python3")


def ready():
    return wireguard_test.ready() and kernel_machine.MACHINE and kernel_machine.DEPMOD


class KernelWireGuardTest(unittest.TestCase):
    @unittest.skipIf(wireguard_test.KERNEL, "this kernel has WireGuard: lab.wireguard tests it")
    @unittest.skipUnless(ready(), "needs root, qemu-system-x86, kmod, bird and PRIVATEER")
    def test_the_agents_suite_passes_with_the_kernels_wireguard(self):
        FOLDER.mkdir(parents=True, exist_ok=True)
        machine = kernel_machine.KernelMachine(FOLDER)
        machine.build(f"modprobe wireguard && cd /sovereign && PRIVATEER={wireguard_test.PRIVATEER} "
                      "/usr/bin/python3 tests/lab/wireguard_test.py 2>&1", (*PROGRAMS, wireguard_test.PRIVATEER),
                      [(ROOT / "lab", "/sovereign/lab"), (ROOT / "tests/lab", "/sovereign/tests/lab")])
        code, console = machine.run(900)
        self.assertEqual(code, 0, console[-6000:])
        self.assertIn("test_the_devices_are_the_kernels", console)
        self.assertNotIn("skipped", console)


if __name__ == "__main__":
    unittest.main(verbosity=2)
