"""Privateer's units under a real systemd and polkit, in a virtual machine as that of tests/lab/systemd_test.py. What is
shown there is tests/lab/systemd_mesh_guest.py.

Skipped without root, qemu, depmod, systemd, bird, wireguard-go, polkitd, dbus and the binary that NAVIGATOR names, with
privateer beside it.
"""

import unittest

import systemd_test

PROGRAMS = (*systemd_test.PROGRAMS, "env", "ip", "wg", "date", "setpriv")
PACKAGES = ("bird2", "wireguard-go", "dbus", "dbus-daemon", "dbus-system-bus-common", "polkitd")
NEEDED = ("/usr/sbin/bird", "/usr/bin/wireguard-go", "/usr/lib/polkit-1/polkitd", "/usr/bin/dbus-daemon")


class SystemdMeshTest(unittest.TestCase):
    @unittest.skipUnless(systemd_test.ready(*NEEDED),
                         "needs root, qemu-system-x86, kmod, systemd, bird, wireguard-go, polkitd, dbus and NAVIGATOR")
    def test_wireguard_go_outlives_the_agent_as_a_unit(self):
        console = systemd_test.run_machine(self, "systemd_mesh_guest", PROGRAMS, PACKAGES)
        print("  wireguard-go" + console.partition("  wireguard-go")[2].partition("\n")[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
