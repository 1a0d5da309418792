"""A virtual machine with Debian's kernel, for what the kernel under the tests does not have.

Nothing is installed as a kernel: the package is fetched and unpacked below `folder`. The root file system is a cpio
archive of the programs that are named, what they are linked with, Python's library, the kernel's modules for networks
and the files given. Its init runs one command, prints its exit code on the console and turns the machine off. It is
emulated, because KVM inside a virtual machine may hang instead of failing.
"""

import contextlib
import os
import pathlib
import re
import shutil
import stat
import subprocess

META_PACKAGE = "linux-image-cloud-amd64"
MACHINE = shutil.which("qemu-system-x86_64")
DEPMOD = shutil.which("depmod", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
_DONE = re.compile(r"^machine: exit code (\d+)\s*$", re.MULTILINE)
_INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /run/netns /var
ln -sfn /run /var/run
ip link set lo up
{command}
echo "machine: exit code $?"
sync
echo o >/proc/sysrq-trigger
read -r _ </dev/zero
"""


def _present_package():
    listed = subprocess.run(["apt-cache", "depends", META_PACKAGE], capture_output=True, text=True, check=True,
                            timeout=60)
    return re.search(r"Depends: (linux-image-\S+)", listed.stdout)[1]


def _download(folder):
    """The name of the package that is now in `folder`. Package lists that are older than the archive are refreshed."""
    for last in (False, True):
        package = _present_package()
        done = subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package], cwd=folder,
                              capture_output=True, text=True, check=False, timeout=300, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return package
        if last:
            raise RuntimeError(f"apt cannot fetch {package}: {done.stderr.strip()}")
        subprocess.run(["apt-get", "-qq", "update"], check=True, timeout=300, stdin=subprocess.DEVNULL)
    return None


def fetch_kernel(folder):
    """The folder that holds boot/vmlinuz-* and lib/modules of Debian's present kernel; fetched once."""
    folder = pathlib.Path(folder)
    root = folder / _present_package()
    if not (root / "complete").exists():
        package = _download(folder)
        root = folder / package
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        archive = next(folder.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, root], check=True, timeout=120)
        archive.unlink()
        version = next((root / "lib/modules").iterdir()).name
        subprocess.run([DEPMOD, "-b", root, version], check=True, timeout=120)
        (root / "complete").touch()
    return root


# The machine as a system that systemd runs: it takes the place of init, and the command is a service that everything
# the default target wants comes before. The file system of an archive cannot be made read-only for a service, which a
# unit may ask for, so all is copied into one that can.
_SYSTEM_INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /system
mount -t tmpfs -o size=1200m,mode=0755 system /system
for each in /*; do
  case $each in /system|/init|/proc|/sys|/dev) ;; *) cp -a "$each" /system/ ;; esac
done
mkdir -p /system/proc /system/sys /system/dev
exec switch_root /system /lib/systemd/systemd
"""
_COMMAND_UNIT = """[Unit]
Description=The command of this machine
Requires=sysinit.target
After=sysinit.target
[Service]
Type=oneshot
StandardOutput=file:/dev/console
StandardError=inherit
Environment=PYTHONDONTWRITEBYTECODE=1 HOME=/root
TimeoutStartSec=infinity
ExecStart=/bin/sh -c '{command}; echo "machine: exit code $?"; sync; echo o >/proc/sysrq-trigger'
"""


_COMMAND_TARGET = """[Unit]
Description=What this machine is for
Requires=sysinit.target machine.service
AllowIsolate=yes
"""


def _package_files(package):
    """What a Debian package installed, without its texts."""
    listed = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=True, timeout=60).stdout
    unwanted = re.compile(r"/usr/share/(doc|man|locale|lintian|bash-completion|zsh)(/|$)|^/(usr/)?lib/udev/")
    return [line for line in listed.splitlines() if line.startswith("/") and not unwanted.search(line)]


def _libraries(program):
    """What a program is linked with, its loader included."""
    out = subprocess.run(["ldd", program], capture_output=True, text=True, check=False, timeout=30).stdout
    return re.findall(r"(/\S+) \(0x", out)


class _Archive:
    """A cpio archive in the form that the kernel reads ("newc"). As on Debian, /bin, /sbin, /lib and /lib64 are links
    into /usr."""

    _MERGED = ("bin", "sbin", "lib", "lib64")

    def __init__(self, path):
        self._out = open(path, "wb")
        self._seen = set()
        self._inode = 1
        for name in self._MERGED:
            self.folder("usr/" + name)
            self._entry(name, stat.S_IFLNK | 0o777, ("usr/" + name).encode())

    def _place(self, path):
        path = path.strip("/")
        return "usr/" + path if path.split("/", 1)[0] in self._MERGED else path

    def _entry(self, name, mode, content=b""):
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        self._inode += 1
        header = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
        self._out.write(header + b"\0" * (-len(header) % 4) + content + b"\0" * (-len(content) % 4))

    def folder(self, path):
        path = self._place(path)
        if path and path not in self._seen:
            self.folder(os.path.dirname(path))
            self._seen.add(path)
            self._entry(path, stat.S_IFDIR | 0o755)

    def text(self, path, content, mode=0o755):
        path = self._place(path)
        self._seen.add(path)
        self.folder(os.path.dirname(path))
        self._entry(path, stat.S_IFREG | mode, content.encode())

    def file(self, source, path):
        """The file that `source` leads to, at `path`; once."""
        path = self._place(path)
        if path in self._seen:
            return
        self.folder(os.path.dirname(path))
        self._seen.add(path)
        with open(source, "rb") as file:
            self._entry(path, stat.S_IFREG | stat.S_IMODE(os.stat(source).st_mode), file.read())

    def link(self, path, target):
        path = self._place(path)
        if path not in self._seen:
            self.folder(os.path.dirname(path))
            self._seen.add(path)
            self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def package(self, name):
        """A Debian package as it is installed here, with what its programs are linked with."""
        for path in _package_files(name):
            if os.path.islink(path):
                self.link(path, os.readlink(path))
            elif os.path.isdir(path):
                self.folder(path)
            elif os.path.isfile(path):
                self.file(path, path)
                if os.access(path, os.X_OK) or ".so" in os.path.basename(path):
                    for library in _libraries(path):
                        self.file(library, library)

    def tree(self, source, path, wanted=lambda name: True):
        for folder, folders, files in os.walk(source):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(files):
                full = os.path.join(folder, name)
                if os.path.isfile(full) and wanted(name):
                    self.file(full, os.path.join(path, os.path.relpath(full, source)))

    def program(self, source, path=None):
        self.file(source, path or source)
        for library in _libraries(source):
            self.file(library, library)

    def close(self):
        self._entry("TRAILER!!!", 0)
        self._out.close()


class KernelMachine:
    def __init__(self, folder, kernels=None):
        """`folder` holds the archive, `kernels` what was fetched (without it: `folder`, too)."""
        self.folder = pathlib.Path(folder)
        self.kernel = fetch_kernel(kernels or self.folder)

    def build(self, command, programs, trees):
        """`programs` by name or path, `trees` as (folder here, folder there); `command` is the shell's."""
        with self._archive() as archive:
            archive.text("init", _INIT.format(command=command))
            self._fill(archive, programs, trees)

    def build_system(self, command, programs, trees, packages, texts, installed):
        """The same with systemd as its init. `packages` are Debian's, `texts` are (path there, content, mode),
        `installed` says where a program lies there."""
        with self._archive() as archive:
            for path, content, mode in texts:
                archive.text(path, content, mode)
            archive.text("init", _SYSTEM_INIT)
            archive.text("etc/systemd/system/machine.service", _COMMAND_UNIT.format(command=command), 0o644)
            archive.text("etc/systemd/system/machine.target", _COMMAND_TARGET, 0o644)
            archive.link("etc/systemd/system/default.target", "machine.target")
            for package in ("systemd", *packages):
                archive.package(package)
            for source, path in installed.items():
                archive.program(source, path)
            self._fill(archive, ("cp", "switch_root", *programs), trees)

    @contextlib.contextmanager
    def _archive(self):
        archive = _Archive(self.folder / "root.cpio")
        for name in ("root", "proc", "sys", "dev", "tmp", "run", "etc"):
            archive.folder(name)
        yield archive
        archive.close()

    def _fill(self, archive, programs, trees):
        search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        for name in ("sh", "mount", "mkdir", "ln", "sync", "modprobe", *programs):
            found = shutil.which(name, path=search)
            place = found if os.sep in str(name) else f"/bin/{name}"
            archive.program(found, place)
            if name == "modprobe":  # where the kernel itself looks for it
                archive.file(found, "/sbin/modprobe")
        library = pathlib.Path("/usr/lib/python3.11")
        archive.tree(library, str(library), lambda name: name.endswith((".py", ".so")))
        for extension in (library / "lib-dynload").glob("*.so"):
            for linked in _libraries(extension):
                archive.file(linked, linked)
        modules = next((self.kernel / "lib/modules").iterdir())
        for part in ("net", "lib", "crypto", "arch", "drivers/net"):
            archive.tree(modules / "kernel" / part, f"/lib/modules/{modules.name}/kernel/{part}")
        for index in modules.glob("modules.*"):
            archive.file(index, f"/lib/modules/{modules.name}/{index.name}")
        for source, place in trees:
            archive.tree(source, place)

    def run(self, timeout):
        """(exit code, what the console showed). An exit code of None: the command did not end."""
        vmlinuz = next((self.kernel / "boot").glob("vmlinuz-*"))
        argv = [MACHINE, "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1500", "-nographic",
                "-no-reboot", "-nic", "none", "-kernel", vmlinuz, "-initrd", self.folder / "root.cpio",
                "-append", "console=ttyS0 quiet panic=-1 systemd.show_status=no"]
        try:
            done = subprocess.run(argv, capture_output=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
            console = done.stdout + done.stderr
        except subprocess.TimeoutExpired as error:
            console = error.stdout or b""
        text = console.decode(errors="replace").replace("\r", "")
        code = _DONE.search(text)
        return (int(code[1]) if code else None), text
