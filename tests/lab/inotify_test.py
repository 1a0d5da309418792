import pathlib
import shutil
import tempfile
import unittest
from unittest import mock

import support  # noqa: F401

import inotify


class InotifyLimit(unittest.TestCase):
    def setUp(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="inotify-"))
        self.addCleanup(shutil.rmtree, self.base)
        self.limit = self.base / "limit"
        self.limit.write_text("128\n", encoding="ascii")
        patches = mock.patch.object(inotify, "LIMIT", self.limit), mock.patch.object(inotify, "in_use", lambda: 40)
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)
        self.said = []

    def test_is_left_alone_while_there_is_room(self):
        inotify.require(36, self.base, self.said.append)
        self.assertEqual((self.limit.read_text(encoding="ascii"), self.said), ("128\n", []))
        inotify.restore(self.base, self.said.append)
        self.assertEqual(self.said, [])

    def test_is_raised_once_said_and_put_back(self):
        inotify.require(100, self.base, self.said.append)
        inotify.require(3000, self.base, self.said.append)
        self.assertEqual(int(self.limit.read_text(encoding="ascii")), 40 + 3000 + inotify.SPARE)
        self.assertEqual(len(self.said), 2)
        (self.base / "another-lab").mkdir()
        inotify.restore(self.base, self.said.append)
        self.assertNotEqual(int(self.limit.read_text(encoding="ascii")), 128, "another lab still needs it")
        (self.base / "another-lab").rmdir()
        inotify.restore(self.base, self.said.append)
        self.assertEqual(self.limit.read_text(encoding="ascii"), "128")
        self.assertFalse((self.base / "inotify-before").exists())

    def test_counts_what_is_in_use(self):
        mock.patch.stopall()
        self.assertGreaterEqual(inotify.in_use(), 0)


if __name__ == "__main__":
    unittest.main()
