"""What `privateer render` writes is taken by the programs it is for: nft, bird, wg-quick and ip."""

import os
import shutil
import subprocess
import tempfile
import unittest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRIVATEER = os.environ.get("PRIVATEER", os.path.join(REPOSITORY, "build/release/bin/privateer"))
TOPOLOGY = os.path.join(REPOSITORY, "lab/scenarios/three-sites/topology.yaml")


def run(*command, expect=0):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != expect:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}, wanted {expect}\n{done.stdout}{done.stderr}")
    return done


class Render(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sovereign-render-")
        self.addCleanup(shutil.rmtree, self.folder)
        keys = os.path.join(self.folder, "keys")
        with open(keys, "w", encoding="utf-8") as file:
            for number, name in enumerate(["edge-ams-1", "edge-ams-2", "dns-nyc", "dns-sin"]):
                file.write(f"{name} {'BCDE'[number] * 42}A=\n")
        run(PRIVATEER, "render", "dns-ams", "--topology", TOPOLOGY, "--keys", keys, "--directory", self.path("out"))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def test_nft_takes_the_rules(self):
        run("unshare", "-n", "nft", "-c", "-f", self.path("out/nftables.conf"))

    def test_nft_takes_them_twice_and_leaves_one_table(self):
        rules = self.path("out/nftables.conf")
        done = run("unshare", "-n", "sh", "-c", f"nft -f {rules} && nft -f {rules} && nft list tables")
        self.assertEqual(done.stdout.split(), ["table", "inet", "privateer"])

    def test_bird_takes_the_configuration(self):
        run("bird", "-p", "-c", self.path("out/bird.conf"))

    def test_wg_quick_takes_every_device(self):
        devices = [name for name in os.listdir(self.path("out")) if name.startswith("wg-")]
        self.assertEqual(len(devices), 4)
        for name in devices:
            stripped = run("wg-quick", "strip", self.path("out", name)).stdout
            self.assertIn("[Peer]", stripped)
            self.assertIn("PublicKey", stripped)
            self.assertNotIn("PrivateKey", stripped)

    def test_ip_takes_the_addresses(self):
        batch = self.path("out/addresses.batch")
        done = run("unshare", "-n", "sh", "-c", f"ip link set lo up && ip -batch {batch} && ip -brief address show lo")
        self.assertIn("10.200.0.1/32", done.stdout)
        self.assertIn("203.0.113.53/32", done.stdout)


class Proof(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sovereign-proof-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = os.path.join(self.folder, "proof.json")

    def test_three_sites_are_proved_and_the_proof_is_checked(self):
        run(PRIVATEER, "plan", "--topology", TOPOLOGY, "--proof", self.file)
        done = run(PRIVATEER, "verify-proof", self.file, "--topology", TOPOLOGY)
        self.assertIn("proved for three-sites: no single one of 9 nodes, 18 links and 6 groups", done.stdout)
        run(PRIVATEER, "verify-proof", self.file)

    def test_a_tampered_proof_is_refused_with_its_place(self):
        run(PRIVATEER, "plan", "--topology", TOPOLOGY, "--proof", self.file)
        with open(self.file, encoding="utf-8") as file:
            text = file.read()
        start = text.index('"back":[') + len('"back":[')
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text[:start] + "17," + text[text.index(",", start) + 1:])
        self.assertIn("back[0]: link ", run(PRIVATEER, "verify-proof", self.file, expect=1).stderr)

    def test_a_weak_mesh_has_no_proof_and_the_reasons_are_told(self):
        topology = os.path.join(self.folder, "weak.yaml")
        with open(TOPOLOGY, encoding="utf-8") as file:
            text = file.read()
        with open(topology, "w", encoding="utf-8") as file:
            file.write("\n".join(line for line in text.splitlines()
                                 if "edge-ams-1, edge-nyc-1" not in line and "edge-sin-1, edge-ams-1" not in line
                                 and "dns-ams, edge-ams-1" not in line))
        done = run(PRIVATEER, "plan", "--topology", topology, "--proof", self.file, expect=1)
        self.assertIn("warning: the loss of node edge-ams-2 cuts off edge-ams-1; the cheapest link that would mend it "
                      "is dns-ams--edge-ams-1", done.stderr)
        self.assertFalse(os.path.exists(self.file))


if __name__ == "__main__":
    unittest.main()
