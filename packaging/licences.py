"""What the libraries and the web app's parts ask to be passed on: Debian's copyright file of each, and a list."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = Path("/usr/share/doc")

HEAD = """\
Martlet is under the Apache License 2.0; LICENSE is its text. It stands on what is listed here.

The libraries lie as files of their own in lib/ and lib/glibc/, exactly as Debian built them, and are found by their
names: another build of one takes its place when its file does. The sources are those of Debian's source packages of
the versions named here (`apt-get source NAME=VERSION`, or snapshot.debian.org). The folder of each holds its copyright
file, with the texts of its licences; those that it refers to by /usr/share/common-licenses are in common/.

The Swift runtime and Foundation are part of the program, under the Apache License 2.0 with the Runtime Library
Exception (swift.txt), and with them the tables of ICU, whose licence Debian's package of ICU has the words of (icu).
"""


def _asked(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def _packages(paths):
    """Debian's package of each file. It may have been put there as /lib or as /usr/lib, which are one folder by now."""
    names = {}
    for path in paths:
        for name in (str(path), str(path.resolve())):
            names.update({name: path, name.removeprefix("/usr"): path, "/usr" + name.removeprefix("/usr"): path})
    found = {}
    for line in _asked("dpkg-query", "--search", *names).splitlines():
        package, _, name = line.partition(": ")
        if name in names:
            found[names[name]] = package.split(":")[0].split(",")[0]
    return found


def _of_web_app():
    """Those packages of web/versions.lock whose text is in the pages; the others build them."""
    lines = (ROOT / "web" / "versions.lock").read_text().splitlines()
    return [line.split()[0] for line in lines if line and line.split()[0] not in ("esbuild", "node-typescript")]


def gather(libraries, target):
    """Writes the folder of licences; a part whose licence is not here stops it."""
    from bundle import Refusal

    parts = {}
    packages = _packages(libraries)
    for path in libraries:
        package = packages.get(path)
        if package is None:
            raise Refusal(f"{path} belongs to no Debian package, so its licence is unknown; build on Debian with "
                          "the packages of scripts/packages.txt.")
        parts.setdefault(package, []).append(path.name)
    for package in _of_web_app():
        parts.setdefault(package, []).append("in the pages")
    rows = []
    form = "${Package} ${source:Package} ${source:Version}\n"
    sources = {line.split()[0]: line.split()[1:] for line in _asked(
        "dpkg-query", "--show", "--showformat", form, *parts).splitlines()}
    for package, names in sorted(parts.items()):
        text = DOCUMENTS / package / "copyright"
        if package not in sources or not text.exists():
            raise Refusal(f"there is no {text}; some small images leave these out. Reinstall {package} with them.")
        (target / package).mkdir()
        shutil.copyfile(text, target / package / "copyright")
        name, version = sources[package]
        rows.append(f"{package:<24} {name} {version}: {', '.join(sorted(names))}")
    # Foundation brings its own ICU, and the toolchain no text for it. Debian's comes with node, which builds the pages.
    icu = sorted(DOCUMENTS.glob("libicu[0-9]*/copyright"))
    if not icu:
        raise Refusal(f"there is no {DOCUMENTS}/libicu*/copyright; run scripts/bootstrap.")
    (target / "icu").mkdir()
    shutil.copyfile(icu[-1], target / "icu" / "copyright")
    _common(target)
    swift = shutil.which("swift")
    text = swift and Path(swift).resolve().parents[1] / "share" / "swift" / "LICENSE.txt"
    if not text or not text.exists():
        raise Refusal("the toolchain's share/swift/LICENSE.txt was not found; put the `swift` that built the binary on "
                      "the PATH.")
    shutil.copyfile(text, target / "swift.txt")
    shutil.copyfile(ROOT / "LICENSE", target / "LICENSE")
    (target / "NOTICE").write_text(HEAD + "\n" + "\n".join(rows) + "\n")


def _common(target):
    """The texts that the copyright files leave to Debian's folder of common ones."""
    named = {name for file in target.glob("*/copyright")
             for name in re.findall(r"/usr/share/common-licenses/([\w.-]*\w)", file.read_text(errors="replace"))}
    (target / "common").mkdir()
    for name in sorted(named):
        text = Path("/usr/share/common-licenses") / name
        if text.exists():
            shutil.copyfile(text, target / "common" / name)
