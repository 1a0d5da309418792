#!/usr/bin/env python3
"""Keys are where they must be and nowhere else.

A certificate's key is fetched as an edge does, the keys of an account, of another tenant and the data keys are opened
with the master key; each is then looked for as octets, hexadecimal, base64 (at any offset), base64url and lines of PEM
in the database and its journal, in the logs of all programs, in their arguments and environments, and in what a crash
leaves. First they are planted in a copy of a log, so that it is known that the search finds them.

Navigator runs as an ordinary user where this is root, because root may look into any process. The edge is the real
agent with nginx, in a network namespace of its own, which this suite enters when it starts.
"""
import base64
import contextlib
import ctypes
import ctypes.util
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import domain_stack  # noqa: E402
import navigator_daemon  # noqa: E402

PRIVATEER = os.path.abspath(os.environ.get("PRIVATEER", "build/release/bin/privateer"))
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
NOBODY = 65534
INSIDE = "SOVEREIGN_SECRETS_INSIDE"


def enter_a_namespace():
    """This program again, where the agent's devices and sockets are nobody else's."""
    if os.geteuid() != 0 or not shutil.which("unshare") or os.environ.get(INSIDE):
        return
    script = "mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard && ip link set lo up && exec \"$@\""
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-n", "-m", "sh", "-c", script, "sh", sys.executable, *sys.argv])


def opened(key, sealed, row):
    """What acme/keyring seals: a version, 12 octets of nonce, AES-256-GCM with the row as associated data, the tag."""
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    crypto.EVP_CIPHER_CTX_new.restype = crypto.EVP_aes_256_gcm.restype = ctypes.c_void_p
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    try:
        assert sealed[0] == 1, sealed[:1]
        nonce, body, tag = sealed[1:13], sealed[13:-16], sealed[-16:]
        size, plain = ctypes.c_int(), ctypes.create_string_buffer(len(body) + 16)
        cipher = ctypes.c_void_p(crypto.EVP_aes_256_gcm())
        good = (crypto.EVP_DecryptInit_ex(context, cipher, None, key, nonce) == 1
                and crypto.EVP_DecryptUpdate(context, None, ctypes.byref(size), row.encode(), len(row)) == 1
                and crypto.EVP_DecryptUpdate(context, plain, ctypes.byref(size), body, len(body)) == 1
                and crypto.EVP_CIPHER_CTX_ctrl(context, 0x11, 16, tag) == 1
                and crypto.EVP_DecryptFinal_ex(context, plain, ctypes.byref(size)) == 1)
        assert good, f"{row} does not open"
        return plain.raw[:len(body)]
    finally:
        crypto.EVP_CIPHER_CTX_free(context)


def scalar_of(pem):
    """The 32 octets that are the secret of a P-256 key."""
    der = subprocess.run(["openssl", "ec", "-outform", "DER"], input=pem.encode(), capture_output=True, check=True)
    at = der.stdout.index(bytes.fromhex("020101") + b"\x04\x20") + 5
    return der.stdout[at:at + 32]


def spellings(secret):
    """How 32 octets may be written; base64 at each of the three offsets that they may have in a longer text."""
    yield "octets", secret
    yield "hexadecimal", secret.hex().encode()
    yield "HEXADECIMAL", secret.hex().upper().encode()
    yield "hexadecimal with colons", secret.hex(":").encode()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + secret)
        inner = text[-(-offset * 8 // 6):len(text) // 4 * 4 - 4]
        yield f"base64 at {offset}", inner
        yield f"base64url at {offset}", inner.replace(b"+", b"-").replace(b"/", b"_")


def lines_of(pem):
    """Those lines that hold a part of the secret: the public key is in the certificate as well."""
    lines = [line for line in pem.splitlines() if line and not line.startswith("-")]
    der = base64.b64decode("".join(lines))
    begin = der.index(scalar_of(pem))
    chars, at = range(-(-begin * 8 // 6) + 1, (begin + 32) * 8 // 6), 0
    for line in lines:
        if len(set(range(at, at + len(line))) & set(chars)) >= 8:
            yield line.encode()
        at += len(line)


class Stack(domain_stack.DomainStack):
    """With an edge: nginx and the agent that feeds it."""

    def __init__(self):
        super().__init__(proxied=False)
        self.agent = self.nginx = None
        self.edge_port = daemons.free_port()

    def start(self):
        self.user = NOBODY if os.geteuid() == 0 else None
        if self.user:
            for name in (".", *os.listdir(self.files.folder)):
                os.chown(self.files.path(name), NOBODY, NOBODY)
            # The tree of the binaries may be closed to him.
            shutil.copy(navigator_daemon.NAVIGATOR, self.files.path("navigator"))
            navigator_daemon.NAVIGATOR = self.files.path("navigator")
        run = self.navigator.start
        self.navigator.start = lambda: run(**self.options())
        super().start()

    def options(self):
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        return {"cwd": self.files.folder, "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most)),
                **({"user": self.user, "group": self.user} if self.user else {})}

    def start_edge(self):
        path, write = self.files.path, self.files.write
        state = path("privateer")
        os.mkdir(state)
        for source, name in (("edge-ams-1.key", "node.key"), ("edge-ams-1.pem", "node.crt"), ("ca.pem", "ca.crt")):
            shutil.copy(path(source), os.path.join(state, name))
        write("privateer/wireguard.key", base64.b64encode(os.urandom(32)).decode() + "\n")
        for name in ("node.key", "wireguard.key"):
            os.chmod(os.path.join(state, name), 0o600)
        write("tenants.conf", "")
        temporary = "".join(f"{kind}_temp_path {path('nginx-' + kind)};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = write("nginx.conf", f"user root;\ndaemon off;\npid {path('nginx.pid')};\nerror_log stderr;\n"
                       "events {}\n"
                       f"http {{ access_log {path('access.log')};\n{temporary}"
                       f"server {{ listen 127.0.0.1:{self.edge_port} ssl default_server; ssl_certificate "
                       f"{path('server.pem')}; ssl_certificate_key {path('server.key')}; }}\n"
                       f"include {path('tenants.conf')};\n}}\n")
        nginx = [NGINX, "-e", "stderr", "-c", config]
        self.nginx = daemons.Daemon(nginx, path("nginx.log"))
        daemons.wait_for("nginx listens", lambda: certificate_stack.accepts(self.edge_port))
        settings = {"node": domain_stack.EDGE, "state": state, "topology": path("topology.yaml"),
                    "agent": {"unix": path("agent.sock")}, "rules": {"keep": "never"},
                    "bird": {"config": path("bird.conf"), "control": path("bird.ctl")},
                    "edge": {"name": "localhost", "navigators": [f"https://127.0.0.1:{self.api_port}"],
                             "directory": path("edge-certificates"), "nginx_file": path("tenants.conf"),
                             "reload": [*nginx, "-s", "reload"], "probe": f"127.0.0.1:{self.edge_port}"}}
        config = write("privateer.yaml", json.dumps(settings))
        self.agent = daemons.Daemon([PRIVATEER, "--config", config, "agent"], path("agent.log"))

    def close(self):
        for one in (self.agent, self.nginx):
            if one:
                one.stop()
        super().close()

    def processes(self):
        """Every process of the stack with its children."""
        pids = [one.pid for one in (self.navigator.daemon, self.pdns.daemon, self.pebble.daemon, self.agent, self.nginx)
                if one]
        for pid in pids:
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                        pids += [int(child) for child in file.read().split()]
        return pids


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class Secrets(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, navigator_daemon, "NAVIGATOR", navigator_daemon.NAVIGATOR)
        self.stack = Stack()
        self.addCleanup(self.stack.close)
        self.stack.start()
        for label in ("acme-tv", "other"):
            self.stack.create(label)
            self.stack.certificate(f"{label}.stream.example")

    def vault(self):
        """Name -> (octets, lines of PEM) of everything that is sealed in the store, with Navigator stopped."""
        with open(self.stack.files.path("master.key"), "rb") as file:
            text = file.read().strip()
        master = text if len(text) == 32 else base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        found = {"the master key": (master, [text])}
        with contextlib.closing(sqlite3.connect(self.stack.files.path("navigator.db"))) as database:
            data_keys = {}
            for number, owner, sealed in database.execute("SELECT id, owner, sealed FROM acme_data_key"):
                data_keys[number] = opened(master, sealed, f"acme_data_key/{owner}")
                found[f"the data key of owner {owner}"] = (data_keys[number], [])
            rows = [(f"acme_account/{url}", sealed) for url, sealed in database.execute(
                "SELECT directory_url, sealed_key FROM acme_account")]
            certificates = database.execute("SELECT tenant_id, fingerprint, sealed_key FROM certificate JOIN "
                                            "acme_subject ON acme_subject.id = subject_id").fetchall()
            rows += [(f"certificate/{tenant}/{print_}", sealed) for tenant, print_, sealed in certificates]
        for row, sealed in rows:
            self.assertEqual(sealed[0], 2, "sealed by a data key")
            pem = opened(data_keys[int.from_bytes(sealed[1:9], "big")], sealed[9:], row).decode()
            found[row] = (scalar_of(pem), list(lines_of(pem)))
        return found

    def marks(self, secrets):
        for name, (octets, lines) in secrets.items():
            for spelling, mark in spellings(octets):
                yield f"{name} as {spelling}", mark
            for line in lines:
                yield f"{name} as a line of PEM", line

    def hits(self, marks, content):
        return [what for what, mark in marks if mark in content]

    def allowed(self, path):
        """Where keys belong: the edge's own files, the master key, and what this test signs with."""
        inside = os.path.relpath(path, self.stack.files.folder)
        edge = inside.startswith("edge-certificates/") and inside.endswith("privkey.pem")
        return edge or inside == "master.key" or (inside.endswith(".key") and os.path.exists(path[:-4] + ".pem"))

    def files(self):
        for folder, _, names in os.walk(self.stack.files.folder):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not self.allowed(path):
                    with open(path, "rb") as file:
                        yield os.path.relpath(path, self.stack.files.folder), file.read()

    def of_processes(self):
        for pid in self.stack.processes():
            for name in ("cmdline", "environ"):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                        open(f"/proc/{pid}/{name}", "rb") as file:
                    yield f"/proc/{pid}/{name}", file.read()

    def nowhere(self, marks, places):
        looked_at = {}
        for place, content in places:
            looked_at[place] = len(content)
            self.assertEqual(self.hits(marks, content), [], place)
        return looked_at

    def with_an_edge(self):
        able = os.environ.get(INSIDE) and NGINX and os.path.exists(PRIVATEER) and shutil.which("wireguard-go")
        if able:
            self.stack.start_edge()
            live = lambda: self.stack.files.log("tenants.conf").count("ssl_certificate_key") >= 2
            try:
                daemons.wait_for("the edge serves both", live, 60)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.stack.files.log('agent.log')[-3000:]}") from None
            self.assertNotIn("pass failed", self.stack.files.log("agent.log"), "it would serve them for a moment only")
        return able

    def test_no_key_is_in_files_logs_arguments_or_environments(self):
        able = self.with_an_edge()
        fetched = {}
        for bundle in self.stack.bundles():
            status, text = self.stack.edge("GET", f"/v1/edge/bundles/{bundle['id']}")
            self.assertEqual(status, 200, text)
            pem = json.loads(text)["key_pem"]
            fetched[f"the key of {bundle['names'][-1]}"] = (scalar_of(pem), list(lines_of(pem)))
        self.assertEqual(len(fetched), 2)
        # Everything that writes logs does so once more: a refusal, a command, a rotation of keys.
        self.stack.command("cert", "why", "acme-tv")
        self.stack.command("vault", "rotate", "--tenant", "other")
        self.stack.command("cert", "order", "acme-tv")
        self.assertEqual(self.stack.edge("GET", "/v1/edge/bundles/tenant-77")[0], 404)
        processes = dict(self.of_processes())
        with_journal = dict(self.files())
        self.stack.navigator.stop()
        secrets = {**fetched, **self.vault()}
        marks = list(self.marks(secrets))
        # The search finds what is there: each spelling of each key, in a log among other text.
        log = self.stack.files.log("navigator.log").encode()
        for what, mark in marks:
            self.assertIn(what, self.hits(marks, log + b"key=" + mark + b" more\n" + log))
        for pem in (base64.b64encode(b"\x30" * number + octets + b"rest") for number in range(3)
                    for octets, _ in secrets.values()):
            self.assertTrue(self.hits(marks, pem), "inside of a longer base64")
        looked_at = self.nowhere(marks, with_journal.items())
        self.nowhere(marks, self.files())
        looked_at |= self.nowhere(marks, processes.items())
        wanted = {"navigator.db", "navigator.db-wal", "navigator.log", "pdns.log", "pebble.log"}
        self.assertLessEqual(wanted | ({"agent.log", "nginx.log"} if able else set()), set(looked_at))
        self.assertTrue(all(looked_at[one] for one in ("navigator.db", "navigator.log", *processes)))
        print(f"    {len(secrets)} keys in {len(marks)} spellings, {sum(looked_at.values()) // 1024} KiB in "
              f"{len(looked_at)} places{'' if able else ' (no edge agent here)'}: 0 hits", flush=True)

    def test_nobody_dumps_the_process_and_a_crash_leaves_no_core(self):
        daemon = self.stack.navigator.daemon
        other = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **self.stack.options())
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        daemons.wait_for("it is cat", lambda: "python" not in os.readlink(f"/proc/{other.pid}/exe"))
        if shutil.which("gcore"):
            def dumped(pid):
                subprocess.run(["gcore", "-o", self.stack.files.path("dump"), str(pid)], capture_output=True,
                               check=False, **self.stack.options())
                return os.path.exists(self.stack.files.path(f"dump.{pid}"))

            self.assertTrue(dumped(other.pid), "the same user's ordinary process is")
            os.unlink(self.stack.files.path(f"dump.{other.pid}"))
            self.assertFalse(dumped(daemon.pid))
        looked = subprocess.run(["head", "-c", "1", f"/proc/{daemon.pid}/mem"], capture_output=True, text=True,
                                check=False, **self.stack.options())
        self.assertIn("Permission denied", looked.stderr)
        cores = []
        for process in (other, daemon.process):
            process.send_signal(signal.SIGABRT)
            _, status = os.waitpid(process.pid, 0)
            process.returncode = -signal.SIGABRT  # it was waited for here: subprocess does not tell of cores
            self.assertTrue(os.WIFSIGNALED(status))
            cores.append(os.WCOREDUMP(status))
        self.assertFalse(cores[1], "Navigator left a core")
        left = [name for name in os.listdir(self.stack.files.folder) if name.startswith("core")]
        self.assertEqual(len(left), 1 if cores[0] and left else 0, left)
        print(f"    an ordinary process leaves {'a' if cores[0] else 'no'} core here, Navigator none", flush=True)


if __name__ == "__main__":
    enter_a_namespace()
    unittest.main(verbosity=2)
