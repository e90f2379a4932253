"""What the machine does meanwhile: processor, memory, disk, network, and GPUs, read every ten seconds."""

from __future__ import annotations

import os
import time

SECONDS_BETWEEN = 10.0


def begin(run, process_only=False):
    if not os.path.isdir("/proc/self"):
        return  # elsewhere there is nothing to read without a package
    sampler = Sampler(process_only)

    def sample():
        values = sampler.values()
        if values:
            run._put(("system", time.time(), {"m": values}))

    run._recorder.every(SECONDS_BETWEEN, sample, first=1.0)


class Sampler:
    """Turns the kernel's counters into what happened since the last look."""

    def __init__(self, process_only=False):
        self.process_only = process_only
        self.ticks = os.sysconf("SC_CLK_TCK")
        self.page = os.sysconf("SC_PAGE_SIZE")
        self.last = None
        self.gpus = None if process_only else _gpus()

    def values(self):
        now = time.monotonic()
        counters = {"at": now, "cpu": self._machine_cpu(), "own": self._own_cpu(), "net": _network(), "disk": _disk()}
        last, self.last = self.last, counters
        values = {"process/memory_bytes": self._own_memory(), "process/threads": _threads()}
        if not self.process_only:
            total, free = _memory()
            if total:
                values["memory/used_percent"] = 100.0 * (total - free) / total
                values["memory/free_bytes"] = free
            try:
                room = os.statvfs(os.getcwd())
                values["disk/free_bytes"] = room.f_bavail * room.f_frsize
            except OSError:
                pass
        if last is not None and now > last["at"]:
            passed = now - last["at"]
            values["process/cpu_percent"] = 100.0 * (counters["own"] - last["own"]) / self.ticks / passed
            if not self.process_only:
                busy, all_ = (counters["cpu"][index] - last["cpu"][index] for index in (0, 1))
                if all_ > 0:
                    values["cpu/used_percent"] = 100.0 * busy / all_
                for kind, names in (("net", ("received", "sent")), ("disk", ("read", "written"))):
                    for index, name in enumerate(names):
                        values["%s/%s_bytes_per_second" % ("network" if kind == "net" else kind, name)] = (
                            counters[kind][index] - last[kind][index]) / passed
        if self.gpus:
            values.update(self.gpus())
        return values

    def _machine_cpu(self):
        with open("/proc/stat") as file:
            times = [int(each) for each in file.readline().split()[1:9]]
        return sum(times) - times[3] - times[4], sum(times)

    def _own_cpu(self):
        with open("/proc/self/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def _own_memory(self):
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * self.page


def _threads():
    return len(os.listdir("/proc/self/task"))


def _memory():
    found = {}
    with open("/proc/meminfo") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if name in ("MemTotal", "MemAvailable"):
                found[name] = int(rest.split()[0]) * 1024
    return found.get("MemTotal", 0), found.get("MemAvailable", 0)


def _network():
    received = sent = 0
    try:
        with open("/proc/net/dev") as file:
            for line in file.readlines()[2:]:
                name, _, rest = line.partition(":")
                if name.strip() != "lo":
                    fields = rest.split()
                    received += int(fields[0])
                    sent += int(fields[8])
    except (OSError, IndexError, ValueError):
        pass
    return received, sent


def _disk():
    read = written = 0
    try:
        with open("/proc/diskstats") as file:
            for line in file:
                fields = line.split()
                # Whole devices only: their parts are counted in them.
                if os.path.isdir("/sys/block/" + fields[2]) and not fields[2].startswith(("loop", "ram", "dm-", "zram")):
                    read += int(fields[5]) * 512
                    written += int(fields[9]) * 512
    except (OSError, IndexError, ValueError):
        pass
    return read, written


def _gpus():
    """A call that reads the GPUs, by NVIDIA's library when both it and a device are there."""
    if not any(os.path.exists("/dev/nvidia%d" % index) for index in range(16)):
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:
        return None

    def read():
        values = {}
        for index, handle in enumerate(handles):
            for name, call in (
                    ("used_percent", lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu),
                    ("memory_bytes", lambda: pynvml.nvmlDeviceGetMemoryInfo(handle).used),
                    ("watts", lambda: pynvml.nvmlDeviceGetPowerUsage(handle) / 1000.0),
                    ("celsius", lambda: pynvml.nvmlDeviceGetTemperature(handle, 0))):
                try:
                    values["gpu/%d/%s" % (index, name)] = float(call())
                except Exception:
                    pass
        return values

    return read
