"""What `make wheel` and `make dist` make, made once for all tests, and installed by pip without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
PACKER = ROOT / ".venv-packaging" / "bin" / "python"


def pack(*what, to, root=ROOT):
    assert PACKER.exists(), f"there is no {PACKER}; scripts/venv packaging makes it"
    return subprocess.run([PACKER, root / "packaging" / "build", *what, "--to", to], capture_output=True, text=True)


@pytest.fixture(scope="session")
def packed(tmp_path_factory):
    """The folder that is otherwise dist/."""
    target = tmp_path_factory.mktemp("dist")
    done = pack("wheels", "archive", to=target)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="session")
def whole_wheel(packed):
    found, = packed.glob("*-py3-none-manylinux_*.whl")
    return found


@pytest.fixture(scope="session")
def pure_wheel(packed):
    found, = packed.glob("*-py3-none-any.whl")
    return found


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """Puts a wheel into an environment of its own, which nobody may write from then on; gives back its folder."""
    def install(wheel):
        folder = tmp_path_factory.mktemp("venv") / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--quiet",
             "--disable-pip-version-check", "install", "--no-index", "--no-compile", wheel], check=True,
            env={**os.environ, "PIP_FIND_LINKS": ""})
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
        return folder

    made = []

    def once(wheel):
        made.append(install(wheel))
        return made[-1]

    yield once
    for folder in made:
        for path in [folder, *folder.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)


@pytest.fixture(scope="session")
def whole(installed, whole_wheel):
    return installed(whole_wheel)


@pytest.fixture(scope="session")
def pure(installed, pure_wheel):
    return installed(pure_wheel)


def plain(home, **more):
    """An environment in which nothing of this checkout or this machine's libraries is near."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "MARTLET_QUIET": "1",
            "MARTLET_CAPTURE": "none", **{name: str(value) for name, value in more.items()}}
