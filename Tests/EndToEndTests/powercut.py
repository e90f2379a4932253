"""A disk whose power can be cut: what a server has synced, and what else may have reached the platters by chance."""

import os
import shutil
import subprocess
from pathlib import Path

SECTOR = 512


def compiler():
    """The C compiler of this machine, or the one that comes with Swift, which every checkout has."""
    swift = shutil.which("swift")
    beside = Path(swift).resolve().parent / "clang" if swift else None
    for found in (shutil.which("cc"), shutil.which("clang"), beside):
        if found and os.access(found, os.X_OK):
            return str(found)
    raise AssertionError("there is no C compiler: cc, clang, or the one beside swift")


def build(folder):
    library = Path(folder) / "powercut.so"
    source = Path(__file__).with_name("powercut.c")
    subprocess.run(
        [compiler(), "-O1", "-shared", "-fPIC", "-o", library, source, "-lpthread"], check=True, timeout=60)
    return library


class Disk:
    """Follows one server's life on a folder. Made before it starts: what is there then is on the disk."""

    def __init__(self, library, folder, place):
        self.library, self.folder, self.place = library, Path(folder).resolve(), Path(place)
        (self.place / "content").mkdir(parents=True)
        self.before = {}
        if self.folder.exists():
            for path in self.folder.rglob("*"):
                if path.is_file():
                    self.before[path] = path.read_bytes()

    @property
    def environment(self):
        return {"LD_PRELOAD": self.library, "POWERCUT_FOLDER": self.folder, "POWERCUT_DISK": self.place}

    def synced(self):
        """Path to bytes, of all that no power cut can take."""
        names = {path: None for path in self.before}
        log = self.place / "names"
        lines = iter(log.read_text().splitlines() if log.exists() else [])
        inodes = {}
        for line in lines:
            kind, rest = line[0], line[2:]
            if kind == "+":
                inode, path = rest.split(" ", 1)
                names[Path(path)] = inode
            elif kind == "=":
                folder = Path(rest)
                listed = {}
                for entry in lines:
                    if entry == ".":
                        break
                    inode, name = entry[2:].split(" ", 1)
                    listed[folder / name] = inode
                gone = [path for path in names if path.parent == folder and path not in listed]
                for path in gone:
                    del names[path]
                for path, inode in listed.items():
                    # One that was there before and never synced since keeps what it had.
                    if self.content(inode) is not None or path not in self.before:
                        names[path] = inode
        return {
            path: self.before.get(path, b"") if inode is None else self.content(inode) or b""
            for path, inode in names.items()}

    def content(self, inode):
        path = self.place / "content" / inode
        return path.read_bytes() if path.exists() else None

    def cut(self, target, chance=None):
        """Makes in a new folder what is left. With `chance`, each sector that was written and not synced is there or is
        not, and a file may be longer than what was synced of it by any part of what was added."""
        target = Path(target)
        kept = 0
        for path, old in self.synced().items():
            data = old
            if chance and path.exists() and not path.name.endswith("-shm"):
                data = mixed(old, path.read_bytes(), chance)
                kept += data != old
            place = target / path.relative_to(self.folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        for path in target.rglob("*-shm"):
            path.unlink()
        return kept


def mixed(old, new, chance):
    length = chance.randint(min(len(old), len(new)), len(new)) if len(new) >= len(old) else len(old)
    out = bytearray(old[:length].ljust(length, b"\0"))
    for at in range(0, length, SECTOR):
        if at < len(new) and chance.random() < 0.5:
            end = min(at + SECTOR, length, len(new))
            out[at:end] = new[at:end]
    return bytes(out)
