#!/usr/bin/env python3
"""The manual pages as groff reads them, and the completion as bash runs it, of both programs."""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import navigator_daemon  # noqa: E402

NAVIGATOR = navigator_daemon.NAVIGATOR
PRIVATEER = os.environ.get("PRIVATEER", os.path.join(os.path.dirname(NAVIGATOR), "privateer"))
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}


def output(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=30, env=ENVIRONMENT, **more)


def completed(binary, *words):
    """What bash offers for the last word."""
    name = os.path.basename(binary)
    typed = " ".join(f"'{word}'" for word in (name, *words))
    script = (f'source /dev/stdin <<<"$(\'{binary}\' completion bash)"; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; '
              f'_{name}; printf "%s\\n" "${{COMPREPLY[@]}}"')
    return output("bash", "-uc", script).stdout.split()


@unittest.skipUnless(os.access(NAVIGATOR, os.X_OK) and os.access(PRIVATEER, os.X_OK), "needs NAVIGATOR and PRIVATEER")
class ManualTest(unittest.TestCase):
    def test_groff_reads_the_pages_without_a_warning(self):
        for binary in (NAVIGATOR, PRIVATEER):
            page = output(binary, "manual").stdout
            read = output("groff", "-man", "-ww", "-Tutf8", "-P-cbou", input=page)
            self.assertEqual(read.stderr, "")
            name = os.path.basename(binary)
            self.assertRegex(read.stdout, rf"NAME\n +{name} +- +\w+")
            for told in re.findall(r"^  (\w[\w-]+) +\S", output(binary, "--help").stdout, re.M):
                self.assertRegex(read.stdout, rf"(?m)^   {told}\b", f"{binary} has the command {told}")

    def test_bash_completes_words_options_and_values(self):
        self.assertEqual(completed(NAVIGATOR, "zo"), ["zone"])
        self.assertIn("import", completed(NAVIGATOR, "zone", ""))
        self.assertIn("--config", completed(NAVIGATOR, "--c"))
        self.assertIn("status", completed(NAVIGATOR, "--config", "x.yaml", "tenant", "st"))
        self.assertEqual(completed(PRIVATEER, "tok"), ["token"])
        self.assertEqual(completed(PRIVATEER, "token", ""), completed(PRIVATEER, "--config", "y", "token", ""))
        self.assertIn("svg", completed(PRIVATEER, "graph", "--format", ""))

    def test_zsh_has_the_same_words(self):
        for binary in (NAVIGATOR, PRIVATEER):
            bash, zsh = (output(binary, "completion", shell).stdout for shell in ("bash", "zsh"))
            self.assertEqual(bash.split("\n", 1)[1], zsh.split("bashcompinit\n", 1)[1])

    def test_a_word_too_many_is_refused(self):
        done = subprocess.run([PRIVATEER, "completion", "tcsh"], capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr)


if __name__ == "__main__":
    unittest.main()
