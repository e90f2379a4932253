"""What must not harm a run, nor lose a point of it: servers that die, disks that are full, writers that are killed."""

import os
import random
import signal
import subprocess
import sys
import time

import martlet
import pytest
import serving
from martlet import _logbooks
from serving import wait_for

# Logs until it is killed, and says how far the kernel has it.
TRAINER = """
    import sys, time, martlet
    run = martlet.start_run("kill", uri=sys.argv[1], id=sys.argv[2])
    step = 0
    while True:
        run.log({"loss": 1 / (step + 1), "step2": step * 2.0}, step=step)
        step += 1
        if step % 200 == 0:
            run.flush()
            print(step, flush=True)
"""


def read(store, run, metric):
    """A run's points of a metric straight from the folder."""
    found = []
    for path in _logbooks.files(str(store), run):
        for line in _logbooks.lines(path):
            if line["op"] in ("metrics", "points"):
                for name, steps, _, values in _logbooks.points(line):
                    if name == metric:
                        found += zip(steps, values)
    return found


def test_a_server_that_is_killed_under_load_has_every_point_once(remote):
    server = remote.server
    chance = random.Random(5)
    run = martlet.start_run("load", uri=server.address)
    step = 0
    for _ in range(4):
        end = time.monotonic() + chance.uniform(0.3, 0.8)
        while time.monotonic() < end:
            for _ in range(50):
                run.log({"loss": float(step), "acc": step / 2}, step=step)
                step += 1
            time.sleep(0.005)
        server.kill()
        time.sleep(chance.uniform(0.0, 0.3))
        server.start()
    assert run.flush(20)
    run.finish()
    remote.run(run.id)
    assert remote.points(run.id, "loss") == [(each, float(each)) for each in range(step)]
    assert remote.get(f"runs/{run.id}/problems")["problems"] == []


def test_a_run_without_its_server_is_sent_by_the_next_one(start_server, spool, program):
    server = start_server(start=False)
    began = time.monotonic()
    done = program("""
        import sys, martlet
        with martlet.start_run("away", uri=sys.argv[1], id="1" * 32) as run:
            for step in range(500):
                run.log({"loss": step})
            run.log_text("kept", "kept.txt")
    """, server.address, environment={"MARTLET_SPOOL": spool, "MARTLET_EXIT_SECONDS": "1"})
    assert time.monotonic() - began < 10
    assert "martlet sync" in done.stderr and len(done.stderr.splitlines()) <= 3, done.stderr
    server.start()
    with martlet.start_run("next", uri=server.address) as run:
        run.log({"a": 1})
        wait_for("the earlier run", lambda: server.get("/api/v1/runs/" + "1" * 32).status == 200)
        wait_for("its end", lambda: server.get("/api/v1/runs/" + "1" * 32).json["state"] == "finished")
    assert server.points("1" * 32, "loss") == [(step, float(step)) for step in range(500)]
    assert server.get(f"/api/v1/runs/{'1' * 32}/artifacts/kept.txt").expect(200).text == "kept"
    assert not list(spool.rglob("*.jsonl"))


def test_a_run_without_its_server_can_be_sent_by_hand(start_server, spool, program):
    server = start_server(start=False)
    program("""
        import sys, martlet
        with martlet.start_run("away", uri=sys.argv[1], id="2" * 32) as run:
            run.log({"loss": 1.5})
            run.log_text("kept", "kept.txt")
    """, server.address, environment={"MARTLET_SPOOL": spool, "MARTLET_EXIT_SECONDS": "0.5"})
    server.start()
    folder = next(spool.iterdir())
    done = serving.martlet("sync", folder, server.address, home=folder)
    assert done.returncode == 0, done.stderr
    assert server.points("2" * 32, "loss") == [(0, 1.5)]
    assert server.get(f"/api/v1/runs/{'2' * 32}/artifacts/kept.txt").expect(200).text == "kept"


def test_a_server_that_comes_late_gets_the_run_while_it_goes_on(start_server):
    server = start_server(start=False)
    run = martlet.start_run("late", uri=server.address)
    for step in range(100):
        run.log({"loss": step})
    time.sleep(0.5)
    server.start()
    wait_for("the run", lambda: server.get(f"/api/v1/runs/{run.id}").status == 200, 20)
    wait_for("its points", lambda: len(server.points(run.id, "loss")) == 100)
    run.log({"loss": 100})
    wait_for("the next point", lambda: len(server.points(run.id, "loss")) == 101)
    run.finish()
    assert server.get(f"/api/v1/runs/{run.id}").json["state"] == "finished"


def test_a_spool_stays_small_while_a_server_takes_it(remote, spool):
    run = martlet.start_run("long", uri=remote.server.address)
    for part in range(6):
        for step in range(20_000):
            run.log({"a": float(step), "b": part / 3, "c": step / 7}, step=part * 20_000 + step)
        assert run.flush(30)
    assert sum(path.stat().st_size for path in spool.rglob("*.jsonl")) < 3 << 20
    run.finish()
    remote.run(run.id)
    assert len(remote.points(run.id, "c")) == 120_000


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount")
class TestDisks:
    @pytest.fixture
    def mount(self, tmp_path):
        """Mounts a disk of a few megabytes; skips where that is not allowed."""
        mounted = []

        def make(options):
            folder = tmp_path / f"disk-{len(mounted)}"
            folder.mkdir()
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
            if done.returncode:
                pytest.skip("mounting is not allowed here")
            mounted.append(folder)
            return folder

        yield make
        for folder in mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)

    def test_a_full_disk_delays_points_and_loses_none(self, mount, adopted, capfd, tmp_path):
        disk = mount("size=2m")
        (disk / "ballast").write_bytes(b"x" * (1800 << 10))
        run = martlet.start_run("full", uri=disk / "store")
        chance = random.Random(3)
        values = [chance.random() for _ in range(40_000)]
        for step, value in enumerate(values):
            run.log({"loss": value}, step=step)
        assert not run.flush(3)
        assert "The run goes on" in capfd.readouterr().err.replace("the run goes on", "The run goes on")
        for path in _logbooks.files(str(disk / "store")):
            raw = open(path, "rb").read()
            assert raw == b"" or raw.endswith(b"\n"), "only whole lines stay in the file"
        (disk / "ballast").unlink()
        run.finish()
        import shutil

        shutil.copytree(disk / "store", tmp_path / "copy")
        opened = adopted(tmp_path / "copy")
        opened.run(run.id)
        assert opened.points(run.id, "loss") == list(enumerate(values))

    def test_a_folder_that_cannot_be_written_is_told_of_once_and_stops_nothing(self, mount, capfd):
        disk = mount("size=1m,ro")
        began = time.monotonic()
        with martlet.start_run("readonly", uri=disk / "store") as run:
            for step in range(1000):
                run.log({"loss": step})
            run.log_text("gone", "gone.txt")
            run.finish(seconds=1)
        assert time.monotonic() - began < 5
        told = capfd.readouterr().err
        assert "ead-only" in told and len(told.splitlines()) <= 4, told


def kill_somewhere(store, number, chance):
    run = "%032x" % number
    process = subprocess.Popen(
        [sys.executable, "-c", __import__("textwrap").dedent(TRAINER), str(store), run],
        env={**os.environ, "PYTHONPATH": str(serving.ROOT / "python")}, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    time.sleep(chance.uniform(0, 0.2))
    process.kill()
    said = [int(line) for line in process.stdout.read().split()]
    process.wait()
    return run, max(said, default=0)


def test_a_trainer_that_is_killed_loses_nothing_that_the_kernel_had(store, adopted, totals):
    chance = random.Random(17)
    count = int(os.environ.get("MARTLET_KILLS", "5"))
    killed = [kill_somewhere(store, number, chance) for number in range(1, count + 1)]
    had = {run: read(store, run, "loss") for run, _ in killed}
    opened = adopted(store)
    total = 0
    for run, flushed in killed:
        opened.run(run, "lost", 60)
        points = opened.points(run, "loss")
        assert points == had[run], "what the file has is what the store has, once"
        assert [step for step, _ in points] == list(range(len(points))) and len(points) >= flushed
        assert points == [(step, 1 / (step + 1)) for step in range(len(points))]
        total += len(points)
    totals(f"python: {count} trainers killed, {total} points, none lost that the kernel had, none twice")


def test_forked_workers_write_to_the_same_run(store, adopted, program):
    program("""
        import multiprocessing, os, sys, martlet
        run = martlet.start_run("fork", uri=sys.argv[1], id="3" * 32)
        run.log({"loss": 1.0})

        def work(number):
            run.log({"worker/%d" % number: number}, step=0)

        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=work, args=(n,)) for n in range(4)]
        for each in workers: each.start()
        for each in workers: each.join(20); assert each.exitcode == 0
        pid = os.fork()
        if pid == 0:
            os._exit(0)   # a child that logs nothing and leaves without a word
        os.waitpid(pid, 0)
        run.log({"loss": 2.0})
        run.finish()
    """, store)
    opened = adopted(store)
    opened.run("3" * 32)
    assert opened.points("3" * 32, "loss") == [(0, 1.0), (1, 2.0)]
    wait_for("the workers' logbooks", lambda: not list((store / "logbooks" / "live").iterdir()))
    for number in range(4):
        assert opened.points("3" * 32, f"worker/{number}") == [(0, float(number))]
    assert opened.get(f"runs/{'3' * 32}/problems")["problems"] == []


def test_spawned_workers_write_to_the_same_run(remote, program, spool):
    program("""
        import multiprocessing, sys, martlet

        def work(run, number):
            run.log({"worker": float(number)}, step=number)

        if __name__ == "__main__":
            run = martlet.start_run("spawn", uri=sys.argv[1], id="4" * 32)
            context = multiprocessing.get_context("spawn")
            workers = [context.Process(target=work, args=(run, n)) for n in range(2)]
            for each in workers: each.start()
            for each in workers: each.join(30); assert each.exitcode == 0
            run.finish()
    """, remote.server.address, environment={"MARTLET_SPOOL": spool})
    remote.run("4" * 32)
    wait_for("both", lambda: remote.points("4" * 32, "worker") == [(0, 0.0), (1, 1.0)])


@pytest.mark.parametrize(("how", "state", "status"), [
    ("pass", "finished", "finished"),
    ("raise ValueError('nope')", "failed", "failed"),
    ("sys.exit(3)", "failed", "failed"),
    ("raise MemoryError('big')", "failed", "oom"),
    ("raise KeyboardInterrupt", "cancelled", "interrupted"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM); import time; time.sleep(10)", "cancelled", "killed"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "lost", "lost"),
])
def test_the_record_says_how_a_program_ended(store, adopted, program, how, state, status):
    done = program(f"""
        import sys, martlet
        run = martlet.start_run("ends", uri=sys.argv[1], id="5" * 32)
        run.log({{"loss": 1}})
        run.flush()
        {how}
    """, store, check=False)
    shown = adopted(store).run("5" * 32, state)
    assert shown["status"] == status
    if "SIGTERM" in how:
        assert done.returncode == -signal.SIGTERM
    if "nope" in how:
        assert "ValueError: nope" in str(shown.get("error", shown))


def test_two_clocks_apart_are_one_run(store, adopted, program, monkeypatch):
    run = martlet.start_run("clocks", uri=store, id="6" * 32)
    run.log({"here": 1.0}, step=1)
    program("""
        import sys, time
        real = time.time
        time.time = lambda: real() - 3600
        import martlet
        from martlet import _start
        run = martlet.start_run("clocks", uri=sys.argv[1])
        worker = _start.attach({**run._plan.for_child(), "run": "6" * 32})
        worker.log({"there": 2.0}, step=1)
        worker.finish()
    """, store)
    run.finish()
    opened = adopted(store)
    opened.run("6" * 32)
    wait_for("both logbooks", lambda: not list((store / "logbooks" / "live").iterdir()))
    assert opened.points("6" * 32, "here") == [(1, 1.0)] and opened.points("6" * 32, "there") == [(1, 2.0)]


def test_without_locks_and_forks_it_writes_too(store, adopted, program):
    program("""
        import sys, os
        sys.modules["fcntl"] = None
        for name in ("fork", "register_at_fork", "pread"):
            delattr(os, name)
        import martlet
        with martlet.start_run("windows", uri=sys.argv[1], id="7" * 32, strict=True) as run:
            run.log({"loss": 1.0})
    """, store)
    opened = adopted(store)
    opened.run("7" * 32)
    assert opened.points("7" * 32, "loss") == [(0, 1.0)]
