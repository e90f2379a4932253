"""Many processes write one run, and one of them is killed: every point that was handed over is there, none twice."""

import os
import subprocess
import sys
import textwrap

import serving
from serving import wait_for

WRITERS = int(os.environ.get("MARTLET_WRITERS", "256" if serving.FULL else "32"))
KILLED = 3
HALF = 50

# Says what the kernel has, as its place in the launch and how many steps. One of them never stops by itself.
WRITER = textwrap.dedent("""
    import sys, martlet
    uri, killed, half = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    run = martlet.start_run("many", uri=uri, ranks="all")

    def log(step):
        run.log({"loss": float(run.rank), "worker/%d" % run.rank: run.rank + step / 1024}, step=step)

    for step in range(half):
        log(step)
    run.flush()
    print(half, flush=True)
    if run.rank == killed:
        step = half
        while True:
            log(step)
            step += 1
            if step % 100 == 0:
                run.flush()
                print(step, flush=True)
    sys.stdin.readline()
    for step in range(half, 2 * half):
        log(step)
    run.finish()
""")


class Launch:
    """All processes of it, which are gone when the block is left, however that comes."""

    def __init__(self, store):
        inherited = {**os.environ, "PYTHONPATH": str(serving.ROOT / "python"), "WORLD_SIZE": str(WRITERS),
                     "MARTLET_LAUNCH": "many"}
        self.processes = [subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store), str(KILLED), str(HALF)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**inherited, "RANK": str(rank)}) for rank in range(WRITERS)]
        self.others = [process for rank, process in enumerate(self.processes) if rank != KILLED]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.communicate()

    def kill_one(self):
        """Kills it in the middle of logging; gives back how many steps the kernel had by its own word, at least."""
        process = self.processes[KILLED]
        said = [process.stdout.readline() for _ in range(5)]
        process.kill()
        said += process.stdout.read().split()
        process.wait()
        return int(said[-1])


def test_every_point_of_every_writer_is_there_once(store, adopted, totals):
    opened = adopted(store)
    with Launch(store) as launch:
        for process in launch.others:
            assert process.stdout.readline() == f"{HALF}\n"
        had = launch.kill_one()
        run = wait_for("the run", lambda: opened.server.get("/api/v1/experiments/many").status == 200 and opened.get(
            "runs/search?experiment_name=many")["runs"], 60)[0]["run_id"]
        wait_for("word of the dead", lambda: any(
            "ended without a word" in each["problem"] for each in opened.get(f"runs/{run}/problems")["problems"]), 120)
        assert opened.get(f"runs/{run}")["state"] == "running", "the others go on"
        for process in launch.others:
            process.stdin.write("\n")
            process.stdin.flush()
        for process in launch.others:
            assert process.wait(180) == 0
    opened.run(run, "finished", 120)
    wait_for("all logbooks", lambda: not list((store / "logbooks" / "live").iterdir()), 120)

    total = 0
    for rank in range(WRITERS):
        points = opened.points(run, f"worker/{rank}")
        if rank != KILLED:
            assert len(points) == 2 * HALF, f"writer {rank}"
        else:
            assert len(points) >= had, "what the kernel had of the one that was killed"
        assert points == [(step, rank + step / 1024) for step in range(len(points))], f"writer {rank}"
        total += len(points)
    assert opened.points(run, "loss") == [(step, 0.0) for step in range(2 * HALF)], "the run's curve is rank 0's"
    totals(f"python: {WRITERS} writers in one run, one killed: {total} points, none lost, none twice")
