#!/usr/bin/env python3
"""What a former program got wrong, through the daemons: docs/regressions.md counts the cases.

An order is held at the CA by a proxy while its tenant is renamed or deleted; a domain's order dies with the process;
the account's key in the store is damaged. And of the mesh: a drained node joins again, a token was used.
"""
import contextlib
import json
import os
import pathlib
import signal
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import domain_stack  # noqa: E402

PRIVATEER = os.path.abspath(os.environ.get("PRIVATEER", "build/release/bin/privateer"))
# Where an order may be when somebody changes his mind: before the CA hears of it, and after it acted.
PLACES = [(kind, after) for kind in ("order-plz", "chalZ", "finalize-order", "certZ") for after in (False, True)]
HELD_AT = PLACES if os.environ.get("SOVEREIGN_LONG") == "1" else [("chalZ", False), ("finalize-order", True)]


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class Regressions(unittest.TestCase):
    def setUp(self):
        self.stack = domain_stack.DomainStack()
        self.addCleanup(self.stack.close)
        self.stack.start()

    def held(self, label, kind, after):
        """A tenant whose first order stands still at the CA."""
        hold = domain_stack.Hold(self.stack.proxy, kind, after)
        self.stack.create(label)
        hold.wait()
        return hold

    def names_of_certificates(self):
        return [name for one in self.stack.certificates() for name in one["names"]]

    def nothing_is_left_of(self, label):
        zone = "stream.example"
        daemons.wait_for(f"no TXT value of {label} is left", lambda: not [
            line for line in self.stack.challenges_in(zone) if f".{label}." in line or f".{label}\t" in line
            or f".{label} " in line])
        daemons.wait_for(f"no certificate of {label} is kept", lambda: not [
            name for name in self.names_of_certificates() if name.endswith(f"{label}.{zone}")])

    def rows(self, statement):
        """Of the store, with Navigator stopped: one process holds it."""
        self.assertEqual(self.stack.navigator.stop(), 0)
        with contextlib.closing(sqlite3.connect(self.stack.files.path("navigator.db"))) as database:
            found = database.execute(statement).fetchall()
            database.commit()
        self.start()
        return found

    def start(self):
        """Until the issuer has looked at what there is, or said why it cannot."""
        said = lambda: self.stack.files.log("navigator.log").count("does not open")
        before = said()
        self.stack.navigator.start()
        daemons.wait_for("the issuer has begun",
                         lambda: said() > before or self.stack.json("cert", "list")["certificates"])

    def test_3_a_rename_during_an_order_gives_the_new_name_its_own_certificate(self):
        labels = []
        for number, (kind, after) in enumerate(HELD_AT):
            old, new = f"old{number}", f"new{number}"
            hold = self.held(old, kind, after)
            self.stack.command("tenant", "rename", old, new, "--overlap", "0s")
            daemons.wait_for("the former label is retired",
                             lambda label=new: not self.stack.json("tenant", "status", label)["former"])
            wanted = sorted((f"*.{new}.stream.example", f"{new}.stream.example"))
            for one in self.stack.certificates() + self.stack.bundles():
                self.assertNotIn(f"{old}.stream.example", one["names"], f"held at {kind}: it is not that name's yet")
            [seen] = [one for one in self.stack.json("cert", "list")["certificates"] if one["tenant"] == new]
            self.assertEqual(sorted(seen["names"]), wanted)
            self.assertTrue(seen["fingerprint"] or seen["state"] != "valid", seen)
            hold.let_go()
            self.stack.certificate(f"{new}.stream.example")
            self.nothing_is_left_of(old)
            labels.append(new)
        for label in labels:
            [bundle] = [one for one in self.stack.bundles() if f"{label}.stream.example" in one["names"]]
            self.assertEqual(sorted(bundle["names"]), [f"*.{label}.stream.example", f"{label}.stream.example"])
        self.assertEqual(self.rows("SELECT * FROM acme_order"), [])

    def test_4_a_removal_during_an_order_leaves_nothing(self):
        for number, (kind, after) in enumerate(HELD_AT):
            label = f"gone{number}"
            hold = self.held(label, kind, after)
            self.stack.command("tenant", "delete", label)
            hold.let_go()
            self.nothing_is_left_of(label)
        # The issuer has gone on since: what is not there now does not come later.
        self.stack.create("after")
        self.stack.certificate("after.stream.example")
        self.assertEqual({name.split(".", 1)[1] for name in self.names_of_certificates() if name.startswith("*")},
                         {"after.stream.example"})
        self.assertEqual(self.stack.bundles()[0]["names"], ["*.after.stream.example", "after.stream.example"])
        daemons.wait_for("the deleted tenants' data keys are gone",
                         lambda: self.stack.json("vault", "status")["data_keys"] == 2)
        self.assertEqual(self.rows("SELECT * FROM acme_order"), [])

    def test_8_a_domain_whose_order_died_with_the_process_is_ordered_after_all(self):
        self.stack.create("acme-tv")
        self.stack.certificate("acme-tv.stream.example")
        for number, (kind, after) in enumerate(HELD_AT):
            name = f"www{number}.customer.example"
            pid = self.stack.navigator.daemon.pid
            sprung = self.stack.proxy.set_trap(kind, after, lambda one=pid: os.kill(one, signal.SIGKILL))
            self.stack.claim("acme-tv", name)
            self.stack.set_customer_zone()
            with contextlib.suppress(AssertionError):  # a command may be cut off by the death that is wanted
                daemons.wait_for(f"{name} is verified", lambda: sprung.is_set() or self.stack.json(
                    "domain", "verify", "acme-tv", name)["state"] == "verified", 30, 0.2)
            self.assertTrue(sprung.wait(30), f"no {kind} was asked for {name}")
            self.stack.navigator.stop(signal.SIGKILL)
            self.stack.navigator.start()
            self.stack.certificate(name)
        daemons.wait_for("no TXT value is left", lambda: not self.stack.challenges_in("acme.stream.example"))

    def with_account_key(self, what, *values):
        """Restarts Navigator with another account key in its store."""
        self.assertEqual(self.stack.navigator.stop(), 0, self.stack.files.log("navigator.log")[-2000:])
        with contextlib.closing(sqlite3.connect(self.stack.files.path("navigator.db"))) as database:
            database.execute(f"UPDATE acme_account SET sealed_key = {what}", values)
            database.commit()
            [(now,)] = database.execute("SELECT sealed_key FROM acme_account").fetchall()
        self.start()
        return now

    def test_stopped_right_after_its_start_it_ends_well(self):
        for number in range(6):
            self.stack.create(f"tenant{number}")
        for _ in range(12):
            self.assertEqual(self.stack.navigator.stop(), 0, self.stack.files.log("navigator.log")[-2000:])
            self.stack.navigator.start()

    def asked(self):
        return {kind: self.stack.proxy.asked[kind] for kind in ("sign-me-up", "order-plz")}

    def test_19_a_damaged_account_key_is_said_and_never_replaced_and_what_is_served_stays(self):
        self.stack.create("before")
        self.stack.certificate("before.stream.example")
        before = [(one["names"], one["fingerprint"]) for one in self.stack.bundles()]
        [(good,)] = self.rows("SELECT sealed_key FROM acme_account")
        asked = self.asked()
        log = self.stack.files.log
        for number, damage in enumerate(("X''", "zeroblob(300)", "substr(?, 1, 100)")):
            with self.subTest(damage):
                said = log("navigator.log").count("the sealed key does not open")
                damaged = self.with_account_key(damage, *([good] if "?" in damage else []))
                self.stack.create(f"new{number}")
                daemons.wait_for("it says what is wrong", lambda: log("navigator.log").count(
                    "the sealed key does not open") > said)
                self.assertTrue(self.stack.navigator.daemon.running(), "it runs")
                daemons.wait_for("what there is is known", lambda: any(
                    one["name"] == "before.stream.example" and one["state"] == "valid"
                    for one in self.stack.json("cert", "list")["certificates"]))
                [account] = json.loads(self.stack.navigator.call("GET", "/v1/acme/accounts")[1])["accounts"]
                self.assertEqual(account["state"], "blocked")
                self.assertIn("acme_account/https://localhost", account["last_error"])
                self.assertEqual([(one["names"], one["fingerprint"]) for one in self.stack.bundles()], before,
                                 "what edges have is handed out on")
                self.assertEqual(self.stack.navigator.call("GET", "/healthz")[0], 200)
                self.assertEqual(self.rows("SELECT sealed_key FROM acme_account"), [(damaged,)], "no fresh key")
        self.assertIn("acme_account/https://localhost", log("navigator.log"), "which row it is")
        self.assertEqual(self.asked(), asked, "no order, and no second account")
        self.with_account_key("?", good)
        for number in range(3):
            self.stack.certificate(f"new{number}.stream.example")



@unittest.skipUnless(os.path.exists(PRIVATEER), "PRIVATEER does not name a binary")
class Joining(unittest.TestCase):
    """A controller and nodes that join it, on loopback; no agent runs, so nothing of this machine is touched."""

    def setUp(self):
        self.files = daemons.Folder(prefix="privateer-joining-")
        self.addCleanup(self.files.remove)
        self.port = daemons.free_port()
        serve = {"listen": f"127.0.0.1:{self.port}", "unix": self.files.path("controller.sock")}
        nodes = "".join(f"  - {{name: {name}, site: here, underlay: [198.18.1.{at}]}}\n"
                        for at, name in enumerate(("ann", "bob"), 1))
        self.files.write("topology.yaml", "name: small\ndomain: stream.example\nsites: [{name: here}]\n"
                         f"mesh: {{shape: full}}\nnodes:\n{nodes}")
        self.controller = self.settings("ctl", topology=self.files.path("topology.yaml"), serve=serve)
        self.daemon = None
        self.start()
        self.addCleanup(lambda: self.daemon.stop())

    def settings(self, name, **more):
        os.makedirs(self.files.path(name), exist_ok=True)
        text = json.dumps({"node": name, "state": self.files.path(name),
                           "controller": {"url": f"https://127.0.0.1:{self.port}"}, **more})
        return self.files.write(name + ".yaml", text)

    def start(self):
        self.daemon = daemons.Daemon([PRIVATEER, "--config", self.controller, "controller"],
                                     self.files.path("controller.log"))

        def answers():
            self.daemon.check()
            return self.control("token", "list", check=False).returncode == 0

        daemons.wait_for("the controller answers", answers)

    def control(self, *words, check=True):
        return daemons.run(PRIVATEER, "--config", self.controller, *words, check=check)

    def join(self, node, token, state=None):
        """As `node`, with a state of its own; an earlier one has other keys."""
        config = self.settings(state or node, node=node)
        file = self.files.write("token", token)
        done = daemons.run(PRIVATEER, "--config", config, "join", "--token-file", file, check=False)
        os.unlink(file)
        return done

    def token(self, *terms):
        return self.control("token", "create", *terms).stdout.strip()

    def draining(self):
        nodes = json.loads(self.control("node", "list", "--json").stdout)["nodes"]
        return [one["name"] for one in nodes if one["draining"]]

    def test_15_neither_a_repeated_join_nor_a_restart_undoes_a_drain(self):
        token = self.token("--node", "ann")
        self.assertEqual(self.join("ann", token).returncode, 0)
        self.assertEqual(self.draining(), [])
        self.control("node", "drain", "ann")
        self.assertEqual(self.draining(), ["ann"])
        self.assertEqual(self.join("ann", token).returncode, 0, "as after an answer that was lost")
        self.assertEqual(self.draining(), ["ann"])
        self.assertEqual(self.daemon.stop(), 0)
        self.start()
        self.assertEqual(self.draining(), ["ann"])

    def test_15_a_drained_node_that_joins_by_a_fresh_token_stays_drained(self):
        self.assertEqual(self.join("ann", self.token("--node", "ann")).returncode, 0)
        self.control("node", "drain", "ann")
        self.assertEqual(self.join("ann", self.token()).returncode, 0, "with the same key")
        self.assertEqual(self.draining(), ["ann"])

    def test_16_a_token_is_in_no_file_after_it_was_used_and_is_of_no_more_use(self):
        token = self.token()
        secret = max(token.replace(".", "-").replace("_", "-").split("-"), key=len)
        self.assertGreater(len(secret), 20)
        places = lambda: [path for folder, _, names in os.walk(self.files.folder) for path in
                          (os.path.join(folder, name) for name in names)
                          if os.path.isfile(path) and secret.encode() in pathlib.Path(path).read_bytes()]
        self.files.write("planted", f"TOKEN={token}\n")
        self.assertEqual(places(), [self.files.path("planted")], "the search finds it, and the controller has its hash")
        os.unlink(self.files.path("planted"))
        self.assertEqual(self.join("ann", token).returncode, 0)
        self.assertEqual(places(), [])
        again = self.join("bob", token)
        self.assertNotEqual(again.returncode, 0)
        self.assertEqual(places(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
