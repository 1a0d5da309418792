"""The table at the end of a story: what was measured, against what, and whether it holds."""

from dataclasses import dataclass


@dataclass
class Row:
    step: str
    what: str
    target: str
    result: str
    ok: bool
    late: bool = False

    @property
    def verdict(self):
        return "FAIL" if not self.ok else "late" if self.late else "ok"


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


class Report:
    """`timed` False: a duration over its target is told as late and fails nothing. That is for tests, which run on busy
    machines and judge what happens; how fast it is, is the story's to say."""

    def __init__(self, say, timed=True):
        self.rows = []
        self.say = say
        self.timed = timed

    def add(self, step, what, target, result, ok, late=False):
        row = Row(step, what, target, result, bool(ok), late)
        self.rows.append(row)
        self.say(f"{row.verdict:4} {step}  {what}: {result} (target {target})")

    def within(self, step, what, value, limit):
        """A duration in seconds that must not exceed `limit`."""
        self.add(step, what, f"<= {seconds(limit)}", seconds(value), value <= limit or not self.timed, value > limit)

    def holds(self, step, what, result="yes", ok=True, target="yes"):
        self.add(step, what, target, result, ok)

    @property
    def failed(self):
        return [row for row in self.rows if not row.ok]

    def table(self):
        head = Row("step", "measured", "target", "result", True)
        columns = [(row.step, row.what, row.target, row.result) for row in [head, *self.rows]]
        widths = [max(len(column[i]) for column in columns) for i in range(4)]
        lines = []
        for number, (cells, row) in enumerate(zip(columns, [head, *self.rows])):
            verdict = "ok?" if number == 0 else row.verdict
            lines.append("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + "  " + verdict)
            if number == 0:
                lines.append("  ".join("-" * width for width in [*widths, 4]))
        return "\n".join(lines)
