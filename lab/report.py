"""The table at the end of a story: what was measured, against what, and whether it holds."""

from dataclasses import dataclass


@dataclass
class Row:
    step: str
    what: str
    target: str
    result: str
    ok: bool


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


class Report:
    def __init__(self, say):
        self.rows = []
        self.say = say

    def add(self, step, what, target, result, ok):
        row = Row(step, what, target, result, bool(ok))
        self.rows.append(row)
        self.say(f"{'ok  ' if row.ok else 'FAIL'} {step}  {what}: {result} (target {target})")

    def within(self, step, what, value, limit):
        """A duration in seconds that must not exceed `limit`."""
        self.add(step, what, f"<= {seconds(limit)}", seconds(value), value <= limit)

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
            ok = "ok?" if number == 0 else ("ok" if row.ok else "FAIL")
            lines.append("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + "  " + ok)
            if number == 0:
                lines.append("  ".join("-" * width for width in [*widths, 4]))
        return "\n".join(lines)
