"""How a value that is no number goes into a run: it is recognised when it is logged, and encoded by the writer's thread."""

from __future__ import annotations

from ._media import Figure, Image, Media, Text, home_of
from ._tables import Table


def recognise(value):
    """A rich value as it is, or what a foreign thing is shown as; None when it is nothing of the kind."""
    if isinstance(value, Media):
        return value
    if isinstance(value, str):
        return Text(value)
    module = home_of(value)
    if module == "PIL":
        return Image(value)
    if module == "matplotlib":
        return Figure(value.get_figure() if hasattr(value, "get_figure") and not hasattr(value, "savefig") else value)
    if module == "plotly" or hasattr(value, "to_plotly_json"):
        return Figure(value)
    if module in ("pandas", "polars") and hasattr(value, "columns"):
        return Table(value)
    return None


def entry(run, key, value, step, now):
    """What goes into the queue for a rich value; None when it is none. Bytes are copied here, encoded there."""
    media = recognise(value)
    if media is None:
        return None

    def encoded():
        from . import _artifacts

        lines, files = [], []
        name = "".join(letter if letter.isalnum() or letter in "-_./" else "_" for letter in key).strip("/.")

        def keep(data, ending, mime):
            stored = _artifacts.store(run._recorder.book.folder, [data])
            stored.settle()
            path = "media/%s_%s_%s%s" % (name.replace("..", "_"), step if step is not None else "last",
                                         stored.digest[:8], ending)
            file = {"sha256": stored.digest, "size": stored.size, "mime": mime, "path": path}
            if file not in files:
                lines.append(("artifact", {"path": path, "sha256": stored.digest, "size": stored.size, "type": "media"}))
                files.append(file)
            return file

        media.settle(keep)
        data = media.encode()
        if data is not None:
            own = keep(data, media.ending, media.mime)
            # Its own file comes first, what belongs to it after.
            files.sort(key=lambda file: file is not own and file["sha256"] != own["sha256"])
        fields = {"key": key, "kind": media.kind, "v": media.describe()}
        if step is not None:
            fields["step"] = step
        if files:
            fields["files"] = files
        return [*lines, ("rich", fields)]

    return ("rich", now, encoded) if media.later is None else (media.later, encoded, now)
