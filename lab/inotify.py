"""wireguard-go holds an inotify instance per process, and the kernel's default allows 128 per user. The lab raises the
limit only when it must, says so, and puts it back when the last lab is gone, also after it was killed."""

import os
import pathlib

LIMIT = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
RAISED = 2048
SPARE = 24


def in_use():
    """Instances held by root's processes."""
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid != 0:
                continue
            count += sum(os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:inotify"
                         for fd in os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
    return count


def require(processes, base, say):
    """Makes room for `processes` more. `base` is /run/sovereign-lab, where the former value is kept."""
    limit, used = int(LIMIT.read_text(encoding="ascii")), in_use()
    if used + processes + SPARE <= limit:
        return
    before = base / "inotify-before"
    if not before.exists():
        before.write_text(str(limit), encoding="ascii")
    LIMIT.write_text(str(max(RAISED, used + processes + SPARE)), encoding="ascii")
    say(f"fs.inotify.max_user_instances was {limit} with {used} in use; raised to "
        f"{LIMIT.read_text(encoding='ascii').strip()} until the lab is down ({processes} wireguard-go processes)")


def restore(base, say):
    """Puts the limit back unless another lab is still there."""
    before = base / "inotify-before"
    if not before.exists() or any(path.is_dir() for path in base.iterdir()):
        return
    value = before.read_text(encoding="ascii").strip()
    LIMIT.write_text(value, encoding="ascii")
    before.unlink()
    say(f"fs.inotify.max_user_instances is {value} again")
