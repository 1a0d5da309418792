"""The scripted CA (scripted_ca.cpp) as a daemon of a suite: real certificates, and a knob for each misfortune."""
import http.client
import json
import os
import ssl

import daemons
import navigator_daemon

PROGRAM = os.environ.get(
    "SCRIPTED_CA", os.path.join(os.path.dirname(os.path.dirname(navigator_daemon.NAVIGATOR)), "scripted_ca"))


def is_there():
    return os.path.exists(PROGRAM)


class ScriptedCa:
    """Serves as localhost with `identity`.pem of the folder; `authority`.pem is what its clients must trust."""

    def __init__(self, folder, dns_port, name="ca", identity="server", authority="ca", public_port=None):
        self.folder, self.dns_port, self.name, self.identity = folder, dns_port, name, identity
        self.bundle = folder.path(f"{authority}.pem")
        self.port = daemons.free_port()
        self.public_port = public_port or self.port  # a proxy's
        self.daemon = None

    @property
    def directory(self):
        return f"https://localhost:{self.public_port}/dir"

    def start(self, **knobs):
        path = self.folder.path
        self.daemon = daemons.Daemon([PROGRAM, str(self.port), path(self.identity + ".pem"),
                                      path(self.identity + ".key"), str(self.dns_port), str(self.public_port)],
                                     path(f"{self.name}.log"))

        def listens():
            self.daemon.check()
            return "https://" in self.folder.log(f"{self.name}.log")

        daemons.wait_for(f"{self.name} listens", listens)
        if knobs:
            self.set(**knobs)

    def stop(self):
        if self.daemon:
            self.daemon.stop()
            self.daemon = None

    def _ask(self, method, target, body=None):
        context = ssl.create_default_context(cafile=self.bundle)
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)
        try:
            connection.request(method, target, body)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, (answer.status, text)
            return json.loads(text)
        finally:
            connection.close()

    def set(self, **knobs):
        self._ask("PUT", "/control/knobs", json.dumps(knobs))

    def counters(self):
        return self._ask("GET", "/control/counters")
