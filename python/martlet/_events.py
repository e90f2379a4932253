"""Runs from TensorBoard's event files, taken in while they grow, without TensorFlow."""

from __future__ import annotations

import os
import struct
import time

from . import _active, _ending, _media, _rich, _tables
from ._event_files import File, Tensor, dict_of, double, fields, float_of, numbers, signed, single
from ._run import Run
from ._say import say
from ._start import Plan, _recorder, run_id

# A run in whose files nothing has come for so long is over.
QUIET_SECONDS = 600.0


class Source:
    """A folder with event files: one run."""

    def __init__(self, folder, name, place, experiment):
        self.folder, self.name, self.place, self.experiment = folder, name, place, experiment
        self.files = {}
        self.plugins = {}
        self.run = None
        self.heard = time.monotonic()
        self.status = "finished"
        self.points = 0

    def look(self):
        """Takes in what is new; True when something was."""
        found = False
        for name in sorted(os.listdir(self.folder)):
            if "tfevents" not in name or name.endswith((".profile-empty", ".sagemaker-uploaded")):
                continue
            file = self.files.setdefault(name, File(os.path.join(self.folder, name)))
            for record in file.records():
                found = True
                try:
                    self._event(record)
                except (ValueError, IndexError, struct.error):
                    continue  # one damaged record of many
        if found:
            self.heard = time.monotonic()
        elif self.run is not None and time.monotonic() - self.heard > QUIET_SECONDS:
            self.finish()
        return found

    def finish(self):
        if self.run is not None:
            self.run.finish(self.status)
            self.run = None

    def _begin(self, when):
        plan = Plan(
            uri=self.place, is_remote=self.place.startswith(("http://", "https://")), experiment=self.experiment,
            name=self.name, run=run_id("tensorboard " + os.path.realpath(self.folder)))
        plan.beginning = {"experiment": self.experiment, "name": self.name, "start": int(when * 1000),
                          "source": "tensorboard"}
        recorder = _recorder(plan)
        self.run = Run(plan, recorder)
        # Read again, the same points come with the same times and count once.
        recorder.put("run", plan.beginning, when)
        recorder.start()
        _active.add(self.run)
        _ending.install()

    def _event(self, record):
        when, step, summary = time.time(), 0, None
        for number, value in fields(record):
            if number == 1:
                when = double(value)
            elif number == 2:
                step = signed(value)
            elif number == 5:
                summary = value
        if self.run is None:
            self._begin(when)
        for number, value in fields(summary) if summary is not None else ():
            if number == 1:
                self._value(dict_of(value), step, when)

    def _value(self, value, step, when):
        tag = value.get(1, b"").decode("utf-8", "replace")
        content = b""
        if 9 in value:
            plugin = dict_of(dict_of(value[9]).get(1, b""))
            self.plugins[tag] = plugin.get(1, b"").decode()
            content = plugin.get(2, b"")
        plugin = self.plugins.get(tag, "")
        if plugin == "hparams":
            return self._hparams(content)
        if 2 in value:
            return self._point(tag, single(float_of(value[2])), step, when)
        if 4 in value:
            picture = dict_of(value[4])
            return self._rich(tag, _media.Image(picture.get(4, b"")), step, when)
        if 5 in value:
            return self._histogram(tag, value[5], step, when)
        if 8 in value:
            self._tensor(tag, Tensor(value[8]), plugin, step, when)

    def _tensor(self, tag, tensor, plugin, step, when):
        if plugin == "text" or tensor.strings and plugin not in ("images", "audio"):
            name = tag[:-len("/text_summary")] if tag.endswith("/text_summary") else tag
            self._rich(name, _media.Text("\n".join(tensor.strings)), step, when)
        elif plugin == "histograms" and len(tensor.sizes) == 2 and tensor.values:
            rows = [tensor.values[at:at + 3] for at in range(0, len(tensor.values), 3)]
            self._spread(tag, [row[0] for row in rows] + [rows[-1][1]], [row[2] for row in rows], step, when)
        elif len(tensor.values) == 1:
            self._point(tag, tensor.values[0], step, when)

    def _histogram(self, tag, data, step, when):
        low, limits, counts = 0.0, [], []
        for number, value in fields(data):
            if number == 1:
                low = double(value)
            elif number == 6:
                limits += numbers("d", [value])
            elif number == 7:
                counts += numbers("d", [value])
        filled = [index for index, count in enumerate(counts) if count]
        if not filled:
            return
        first, last = filled[0], filled[-1]
        left = limits[first - 1] if first else low
        self._spread(tag, [left, *limits[first:last + 1]], counts[first:last + 1], step, when)

    def _spread(self, tag, edges, counts, step, when):
        while len(counts) > _tables.BINS_MAX:
            counts = [sum(counts[at:at + 2]) for at in range(0, len(counts), 2)]
            edges = edges[:-1:2] + [edges[-1]]
        self._rich(tag, _tables.Histogram(np_histogram=(counts, edges)), step, when)

    def _point(self, tag, value, step, when):
        self.points += 1
        run = self.run
        while len(run._queue) > run._recorder.limit // 2:
            time.sleep(0.01)  # nobody trains here: reading may wait
        run._put(({tag: value}, step, when))

    def _rich(self, tag, media, step, when):
        self.run._put(_rich.entry(self.run, tag, media, step, when))

    def _hparams(self, content):
        for number, value in fields(content):
            if number == 3:
                params = {}
                for inner, entry in fields(value):
                    if inner == 1:
                        pair = dict_of(entry)
                        params[pair.get(1, b"").decode("utf-8", "replace")] = _json_value(pair.get(2, b""))
                self.run.log_params(params)
            elif number == 4:
                status = dict_of(value).get(1, 0)
                self.status = "failed" if status == 2 else "finished"


def _json_value(data):
    for number, value in fields(data):
        if number == 2:
            number = double(value)
            return int(number) if number.is_integer() and abs(number) < 1 << 53 else number
        if number == 3:
            return value.decode("utf-8", "replace")
        if number == 4:
            return bool(value)
    return None


def watch(folder, place, experiment=None, once=False, pause=1.0):
    """Takes every run beneath a folder into a store, and goes on with what grows until it is interrupted."""
    folder = os.path.abspath(folder)
    experiment = experiment or os.path.basename(folder) or "tensorboard"
    sources = {}
    try:
        while True:
            found = False
            for base, _folders, names in os.walk(folder):
                if base not in sources and any("tfevents" in name for name in names):
                    name = os.path.relpath(base, folder).replace(os.sep, "/")
                    sources[base] = Source(base, "root" if name == "." else name, place, experiment)
            for source in list(sources.values()):
                try:
                    found = source.look() or found
                except OSError as error:
                    say("%s waits: %s" % (source.folder, error))
            if once:
                break
            if not found:
                time.sleep(pause)
    except KeyboardInterrupt:
        pass
    finally:
        for source in sources.values():
            source.finish()
    return sum(source.points for source in sources.values()), len(sources)
