"""Figures held against bench/gates.json, and the machine they come from: what every benchmark's report has in common."""
import json
import os
import platform
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def median(samples):
    ordered = sorted(samples)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def verdict(gate, samples):
    """`ok`, `missed`, or `noise`: the median misses the gate, but so little or so unsteadily that nothing is proven."""
    limit = gate.get("at_least", gate.get("at_most"))
    if limit is None:
        return ""
    # Turned so that more is better.
    sign = 1 if "at_least" in gate else -1
    turned = sorted(sign * sample for sample in samples)
    wanted = sign * limit
    if median(turned) >= wanted:
        return "ok"
    if gate.get("exact"):
        return "missed"
    slack = (0.3 if gate.get("disk") else 0.1) * limit
    better = turned[int(0.75 * (len(turned) - 1) + 0.5)]
    return "noise" if median(turned) >= wanted - slack or better >= wanted and len(turned) > 2 else "missed"


def plain(value):
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows):
    lines = [("what", "gate", "figure", "", "")]
    for row in rows:
        gate = ""
        if "at_least" in row:
            gate = "≥ " + plain(row["at_least"])
        elif "at_most" in row:
            gate = "≤ " + plain(row["at_most"])
        lines.append((row["title"], gate, f"{plain(row['figure'])} {row['unit']}", row["verdict"], row.get("note") or ""))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for line in lines:
        cells = (line[0].ljust(widths[0]), line[1].rjust(widths[1]), line[2].rjust(widths[2]), line[3].ljust(widths[3]))
        print("  ".join(cells + (line[4],)).rstrip())


def said(*command):
    try:
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except OSError:
        return ""


def machine():
    facts = {}
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    with open("/proc/meminfo") as lines:
        facts["memory_gb"] = round(int(lines.readline().split()[1]) / 1e6, 1)
    facts["cpu"] = names[0] if names else platform.machine()
    facts["cores"] = os.cpu_count()
    facts["system"] = platform.platform()
    facts["load_before"] = round(os.getloadavg()[0], 1)
    return facts


def sync_cost(folder):
    """What one fdatasync of 4 KiB costs here and now, in ms: by this the disk-bound figures are to be read."""
    samples = []
    with open(os.path.join(folder, "sync"), "wb", buffering=0) as file:
        for _ in range(100):
            file.write(bytes(4096))
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            samples.append((time.perf_counter() - begin) * 1000)
    os.unlink(file.name)
    ordered = sorted(samples)
    return {"p50_ms": round(ordered[50], 3), "p99_ms": round(ordered[98], 3)}


def rows_of(results):
    """Of (id, samples, note): what stands in the table and in the JSON."""
    with open(os.path.join(HERE, "gates.json")) as file:
        gates = {gate["id"]: gate for gate in json.load(file)}
    rows = []
    for name, samples, note in results:
        row = dict(gates.get(name, {"id": name, "title": name, "unit": ""}))
        row |= {"figure": median(samples), "verdict": verdict(row, samples), "note": note}
        row["samples"] = [float(f"{sample:.5g}") for sample in (samples if len(samples) <= 20 else samples[:: len(samples) // 20 + 1])]
        rows.append(row)
    return rows


def commit():
    return said("git", "rev-parse", "HEAD") + ("-dirty" if said("git", "status", "--porcelain") else "")
