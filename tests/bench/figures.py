"""The table of a benchmark and its figures as JSON."""
import sys


class Report:
    """Rows of the table, printed when complete, and everything measured."""

    def __init__(self, settings):
        self.rows = []
        self.json = {"settings": settings, "figures": []}

    def add(self, what, value, target="", met=None, **detail):
        self.rows.append((what, value, target, "" if met is None else "yes" if met else "NO"))
        self.json["figures"].append({"what": what, "value": value, "target": target, "met": met, **detail})
        print(f"  {what}: {value}", file=sys.stderr, flush=True)

    def missed(self):
        """A line for each target that was missed, for sys.exit; empty: none was."""
        return "\n".join(f"above its target: {what}: {value}, wanted {target}" for what, value, target, met in self.rows
                         if met == "NO")

    def text(self):
        heads = ("what", "measured", "target", "met")
        rows = [heads, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
        return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
