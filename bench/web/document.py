"""Writes the figures of bench/results/web.json into docs/benchmarks.md, between two marks; what stands around them is written by hand."""
import json
import os

from report import median, plain

BEGIN, END = "<!-- bench/web/run writes from here -->", "<!-- to here -->"


def figure(value, unit):
    return f"{plain(value)} {unit}".strip()


def gates(found):
    lines = ["### Its gates", "", "| | gate | median | least | |", "|---|---:|---:|---:|---|"]
    for row in found["rows"]:
        gate = f"≤ {plain(row['at_most'])}" if "at_most" in row else ""
        note = f" ({row['note']})" if row.get("note") else ""
        title = row["title"].removeprefix("web: ")
        lines.append(f"| {title[0].upper()}{title[1:]}{note} | {gate} | {figure(row['figure'], row['unit'])} | {plain(min(row['samples']))} | {row['verdict']} |")
    return lines


def beside(found):
    lines = ["### Beside other trackers' pages", "",
             "1,500 runs with 8 params and 10 metrics of 20 points, the same in each, filled by its own client, served by its own server with its defaults,",
             "asked in turns in one browser without cache, after each had been asked once. *Names* is when more than five names of runs stand on the page,",
             "*curves* when the first curve is drawn too. Thread is the time of the page's main thread, which neighbours on the machine disturb least.", "",
             "| page | until | its ms | Martlet's ms | times | its thread, ms | Martlet's | its server, MB |", "|---|---|---:|---:|---:|---:|---:|---:|"]
    for row in found.get("peers", []):
        lines.append(f"| {row['peer']}, `{row['page']}` | {row['kind']} | {median(row['ms']):,.0f} | {median(row['ours_ms']):,.0f} | **{row['ratio']}** | "
                     f"{median(row['thread_ms']):,.0f} | {median(row['ours_thread_ms']):,.0f} | {row['server_mb']:,} |")
    return lines


def told(one):
    if one is None:
        return "not measured"
    if one["ms"] is None:
        return "no"
    clicks = "1 click" if one["clicks"] == 1 else f"{one['clicks']} clicks"
    return f"{clicks}, {one['ms']:,} ms"


def tasks(found):
    lines = ["### Ten tasks", "", "Clicks, and the median of three times from the first click, or from the link where there is none, until what was wanted is painted.", "",
             "| task | wanted | Martlet | MLflow | how |", "|---|---|---|---|---|"]
    for row in found.get("tasks", []):
        ours, theirs = row.get("martlet"), row.get("mlflow")
        notes = "; ".join(f"{name}: {one['note']}" for name, one in (("Martlet", ours), ("MLflow", theirs)) if one and one["note"])
        lines.append(f"| {row['title']} | {row['wanted']} | {told(ours)} | {told(theirs)} | {notes} |")
    return lines


def section(found):
    machine, versions = found["machine"], found["versions"]
    head = (f"{found['date'][:10]}, commit {found['commit'][:9]}, {versions['chromium'].split(' built')[0]} without a GPU, MLflow {versions['mlflow']}, TensorBoard "
            f"{versions['tensorboard']}, Aim {versions['aim']}; {machine['cores']} shared cores ({machine['cpu'].strip()}), load {machine['load_before']} before and {machine['load_after']} after. "
            f"Each figure is the median of {found['rounds']} rounds, and the least beside it. {machine['samples_on_a_busy_machine']} of the last {machine['samples']} samples were taken while others "
            "computed on the same cores, so **what misses a gate by little proves little, and ratios say more than numbers**.")
    return "\n".join([BEGIN, "", head, "", *gates(found), "", *beside(found), "", *tasks(found), "", END])


def write(path, document):
    with open(path) as file:
        found = json.load(file)
    with open(document) as file:
        text = file.read()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    with open(document, "w") as file:
        file.write(text[:begin] + section(found) + text[end:])
    return os.path.relpath(document)
