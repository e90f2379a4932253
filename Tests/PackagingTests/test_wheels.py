"""`pip install martlet-….whl`: with the program it serves, logs and reads; without it writes and reads by itself."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest
import visit
from conftest import ROOT, pack, plain

VISIT = ROOT / "packaging" / "visit.py"
VERSION = re.search(r'version = "(.*)"', (ROOT / "Sources" / "Domain" / "BuildInfo.swift").read_text())[1]


def mapped(served):
    """The libraries that a process has in its memory, as the kernel knows them."""
    lines = Path(f"/proc/{served.process.pid}/maps").read_text().splitlines()
    return {Path(line.split()[-1]) for line in lines if re.search(r"\.so(\.\d+)*$", line)}


@pytest.mark.parametrize("libc", ["system", "own"])
def test_the_first_hour_of_a_user(whole, tmp_path, libc):
    done = subprocess.run(
        [whole / "bin" / "python", VISIT, whole / "bin" / "martlet"], capture_output=True, text=True, timeout=120,
        env=plain(tmp_path, MARTLET_LIBC=libc))
    assert done.returncode == 0 and "all of it worked" in done.stdout, done.stdout + done.stderr
    assert re.search(r"process: +martlet\n", done.stdout), "as `ps` and `pgrep` know it"
    assert f"martlet {VERSION}\n" in done.stdout


def test_no_library_of_the_system_is_used(whole, tmp_path):
    with visit.Served([whole / "bin" / "martlet"], tmp_path / "a", plain(tmp_path, MARTLET_LIBC="own")) as served:
        own = mapped(served)
    with visit.Served([whole / "bin" / "martlet"], tmp_path / "b", plain(tmp_path, MARTLET_LIBC="system")) as served:
        beside = mapped(served)
    assert len(own) > 20 and all(path.is_relative_to(whole) for path in own), own
    foreign = {path.name for path in beside if not path.is_relative_to(whole)}
    assert foreign and all(re.match(r"(libc|libm|libresolv|libpthread|libdl|librt|ld-linux.*)\.so", name)
                           for name in foreign), foreign


@pytest.mark.parametrize("libc", ["system", "own"])
def test_libraries_of_a_cluster_do_not_come_in_between(whole, tmp_path, libc):
    """Modules set LD_LIBRARY_PATH to libraries of the same names. It stays as it is, and other programs get no more."""
    modules = tmp_path / "modules"
    modules.mkdir()
    for name in ("libsqlite3.so.0", "libcurl.so.4", "libstdc++.so.6", "libcrypto.so.3"):
        (modules / name).write_bytes(b"not a library")
    given = plain(tmp_path, MARTLET_LIBC=libc, LD_LIBRARY_PATH=modules)
    with visit.Served([whole / "bin" / "martlet"], tmp_path / "store", given) as served:
        has = Path(f"/proc/{served.process.pid}/environ").read_bytes().split(b"\0")
    inherited = dict(line.decode().split("=", 1) for line in has if line)
    assert {name: inherited.get(name) for name in given} == given
    assert not [name for name in inherited if name.startswith("LD_") and name not in given]


def test_the_command_is_the_program(whole, tmp_path):
    martlet = whole / "bin" / "martlet"
    for libc in ("system", "own"):
        environment = plain(tmp_path, MARTLET_LIBC=libc)
        said = subprocess.run([martlet, "runs", "list", "my experiment"], capture_output=True, text=True, cwd=tmp_path,
                              env=environment)
        assert said.returncode != 0 and "There is no store" in said.stderr
        assert subprocess.run([martlet, "nonsense"], capture_output=True, env=environment).returncode == 2
    said = subprocess.run([martlet], capture_output=True, text=True, env=plain(tmp_path, MARTLET_LIBC="musl"))
    assert said.returncode == 2 and "MARTLET_LIBC is “musl”" in said.stderr


def test_each_library_has_its_licence(whole_wheel):
    with zipfile.ZipFile(whole_wheel) as file:
        names = set(file.namelist())
        notice = file.read("martlet/licences/NOTICE").decode()
    libraries = {Path(name).name for name in names if re.match(r"martlet/lib/.*\.so", name)}
    assert {"libsqlite3.so.0", "libc.so.6", "libgnutls.so.30"} <= libraries
    listed = dict(re.findall(r"(?m)^(\S+) +\S+ \S+: (.+)$", notice))
    said = {library for row in listed.values() for library in row.split(", ")}
    fillers = {"libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"}  # parts of libc6, as its row says
    assert libraries - fillers <= said
    assert all(f"martlet/licences/{package}/copyright" in names for package in listed)
    assert "libc6" in listed and "node-react" in listed and "esbuild" not in listed


def test_the_package_alone_writes_and_reads(pure_wheel, pure, tmp_path):
    assert pure_wheel.stat().st_size < 1_000_000
    assert not (pure / "bin" / "martlet").exists(), "a command that could do nothing"
    program = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        import visit, martlet
        from martlet import _program
        assert martlet.__file__.startswith(sys.prefix) and _program.find() is None
        visit.log_and_read(sys.argv[2], "alone")
        assert [run.params for run in martlet.Client(sys.argv[2]).runs(experiment="alone")] == [{"lr": 0.1}]
        visit.log_and_read(sys.argv[3], "served")
    """
    with visit.Served([ROOT / ".build" / "release" / "martlet"], tmp_path / "served") as served:
        done = subprocess.run(
            [pure / "bin" / "python", "-c", program, VISIT.parent, tmp_path / "folder", served.address],
            capture_output=True, text=True, timeout=60, env=plain(tmp_path, PATH=tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_is_the_binarys(whole_wheel, pure_wheel, pure, tmp_path):
    assert whole_wheel.name.startswith(f"martlet-{VERSION}-py3-none-manylinux_2_")
    assert pure_wheel.name == f"martlet-{VERSION}-py3-none-any.whl"
    said = subprocess.run([pure / "bin" / "python", "-m", "martlet", "--version"], capture_output=True, text=True,
                          env=plain(tmp_path))
    assert said.stdout.strip() == f"martlet {VERSION}"


def test_versions_that_differ_are_refused(tmp_path):
    for path in ["packaging", "python/martlet/__init__.py", "Sources/Domain/BuildInfo.swift"]:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", ROOT / path, target], check=True)
    info = tmp_path / "Sources" / "Domain" / "BuildInfo.swift"
    info.write_text(info.read_text().replace(f'"{VERSION}"', '"9.8.7"'))
    done = pack("wheels", to=tmp_path / "dist", root=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert VERSION in done.stderr and "9.8.7" in done.stderr and "BuildInfo.swift" in done.stderr
    assert not list((tmp_path / "dist").iterdir())
