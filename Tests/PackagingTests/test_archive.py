"""`make dist`: a folder that runs wherever it lies, also by a link, also after it was moved."""

import os
import subprocess
import tarfile

import pytest
import visit
from conftest import ROOT, plain


@pytest.fixture
def folder(packed, tmp_path):
    archive, = packed.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        assert all(entry.uid == entry.gid == 0 and not entry.name.startswith(("/", "..")) for entry in file)
        file.extractall(tmp_path / "a place with spaces", filter="data")
    found, = (tmp_path / "a place with spaces").iterdir()
    assert found.name == archive.name.removesuffix(".tar.gz")
    return found


def test_it_runs_from_any_folder_and_by_links(folder, tmp_path):
    moved = folder.rename(tmp_path / "moved")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "far").symlink_to(os.path.relpath(moved / "bin" / "martlet", tmp_path / "bin"))
    (tmp_path / "bin" / "martlet").symlink_to("far")
    for libc in ("system", "own"):
        environment = plain(tmp_path, PATH=f"{tmp_path}/bin:/usr/bin:/bin", MARTLET_LIBC=libc)
        for command in ([moved / "bin" / "martlet"], [tmp_path / "bin" / "martlet"], ["martlet"], ["sh", "martlet"]):
            done = subprocess.run([*command, "--version"], capture_output=True, text=True, env=environment,
                                  cwd=tmp_path / "bin")
            assert done.stdout.startswith("martlet "), (libc, command, done)


def test_it_serves(folder, tmp_path):
    with visit.Served([folder / "bin" / "martlet"], tmp_path / "store", plain(tmp_path, MARTLET_LIBC="own")) as served:
        visit.look(served)
        assert visit.process_name(served) == "martlet"


def test_its_licences_lie_in_it(folder):
    assert (folder / "licences" / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    assert "libmicrohttpd12" in (folder / "licences" / "NOTICE").read_text()
