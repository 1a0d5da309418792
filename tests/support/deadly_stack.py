"""The stack of domain_stack.py on scripted CAs, with a Navigator that dies at a chosen commit (deadly_disk.c).

The first CA is behind the proxy; a second one is asked when the first refuses."""
import os
import shutil
import signal
import sqlite3

import certificate_stack
import daemons
import domain_stack
import scripted_ca

HERE = os.path.dirname(os.path.abspath(__file__))


def programs_are_there():
    return certificate_stack.programs_are_there() and scripted_ca.is_there() and shutil.which("cc") is not None


def build_disk(folder):
    """The library that is loaded before libc."""
    library = folder.path("deadly_disk.so")
    daemons.run("cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "deadly_disk.c"), "-ldl")
    return library


class DeadlyStack(domain_stack.DomainStack):
    def settings(self, ca_port, acme):
        self.ca = scripted_ca.ScriptedCa(self.files, self.pdns.port, "first", public_port=ca_port)
        self.second = scripted_ca.ScriptedCa(self.files, self.pdns.port, "second")
        fallback = f"{{ directory: \"{self.second.directory}\", ca_bundle: {self.files.path('ca.pem')} }}"
        return super().settings(ca_port, acme + f"  fallbacks: [{fallback}]\n")

    def start(self):
        self.switch = self.files.path("die")
        self.environment = {**os.environ, "LD_PRELOAD": build_disk(self.files), "DEADLY_DISK": self.switch}
        self.proxy.ca_port = self.ca.port
        self.ca.start()
        self.second.start()
        self.rise()
        self.command("zone", "import", "stream.example",
                     self.files.write("stream.example.zone", certificate_stack.ZONE))
        for zone in ("acme.stream.example", "customer.example"):
            self.navigator.import_zone(zone, domain_stack.ZONE)
        self.pdns.start()

    def rise(self):
        self.navigator.start(env=self.environment)

    def close(self):
        super().close()
        self.ca.stop()
        self.second.stop()

    def arm(self, commit, when):
        """The next commits are counted; the one of this number, from 1, is the last."""
        part = self.files.write("die.part", f"{commit} {when}\n")
        os.rename(part, self.switch)

    def disarm(self):
        if os.path.exists(self.switch):
            os.remove(self.switch)

    def is_dead(self):
        return not self.navigator.daemon.running()

    def rise_again(self):
        self.disarm()
        self.navigator.stop(signal.SIGKILL)
        self.rise()

    def rows(self, sql, *parameters):
        """Of a copy of the store, as the death left it, or as it is in the middle of everything."""
        copy = daemons.Folder(prefix="navigator-copy-")
        try:
            for suffix in ("-wal", ""):
                name = "navigator.db" + suffix
                if os.path.exists(self.files.path(name)):
                    shutil.copyfile(self.files.path(name), copy.path(name))
            database = sqlite3.connect(copy.path("navigator.db"))
            try:
                return database.execute(sql, parameters).fetchall()
            finally:
                database.close()
        finally:
            copy.remove()

    def stage(self, name):
        """How far the order for a name has come, by the store."""
        values = self.rows("SELECT count(*) FROM challenge JOIN acme_subject ON owner LIKE 'acme/' || tenant_id || '/' "
                           "|| id || '/order/%' WHERE acme_subject.name = ?", name)[0][0]
        orders = self.rows("SELECT order_url FROM acme_order JOIN acme_subject ON acme_subject.id = subject_id WHERE "
                           "name = ? ORDER BY order_url DESC", name)
        if orders:
            return "values committed" if values else "order placed" if orders[0][0] else "order written down"
        return "certificate stored, values left" if values else "nothing under way"
