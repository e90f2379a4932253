"""What real clients heard, played back: each request of a recorded client gets the answer that it got then.

Ids and times are new each time. An id that the server makes is bound where it first appears, and stands for the recorded
one from then on; a time must be one; everything else must be the same.
"""

import base64
import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "EndToEndTests"))

import serving  # noqa: E402

TRANSCRIPTS = sorted((Path(__file__).resolve().parent / "transcripts").glob("*.jsonl"))
# What the server makes: ids of runs and logged models, and names for what was given none.
MADE = re.compile(r"(m-|tr-)?[0-9a-f]{32}|[a-z]+-[a-z]+-\d+")
TIMES = re.compile(r"(.*_)?(time|timestamp|timestamp_ms|date)$|last_update(d)?(_time|_timestamp)?$")


class Play:
    def __init__(self, server):
        self.server = server
        self.stands_for = {}

    def now(self, text):
        """A recorded text with the ids of this play."""
        for before, after in self.stands_for.items():
            text = text.replace(before, after)
        return text

    def request(self, entry):
        body = entry["body"]
        if "base64" in body:
            data = base64.b64decode(body["base64"])
        else:
            data = self.now(body["text"]).encode()
        return self.server.ask(entry["method"], self.now(entry["target"]), data or None, entry["headers"])

    def compare(self, recorded, actual, path="answer", key=""):
        if isinstance(recorded, dict):
            assert isinstance(actual, dict) and recorded.keys() == actual.keys(), (path, recorded, actual)
            for name in recorded:
                self.compare(recorded[name], actual[name], f"{path}.{name}", name)
        elif isinstance(recorded, list):
            assert isinstance(actual, list) and len(recorded) == len(actual), (path, recorded, actual)
            for index, (one, other) in enumerate(zip(recorded, actual)):
                self.compare(one, other, f"{path}[{index}]")
        elif isinstance(recorded, (int, float)) and TIMES.match(key):
            assert isinstance(actual, (int, float)) and (actual > 0) == (recorded > 0), (path, recorded, actual)
        elif isinstance(recorded, str) and self.now(recorded) != actual:
            self.bind(recorded, actual, path)
        else:
            assert isinstance(recorded, str) or recorded == actual, (path, recorded, actual)

    def bind(self, recorded, actual, path):
        """The same words around what the server made."""
        assert isinstance(actual, str), (path, recorded, actual)
        assert MADE.sub("…", self.now(recorded)) == MADE.sub("…", actual), (path, recorded, actual)
        before = [found.group() for found in MADE.finditer(recorded)]
        after = [found.group() for found in MADE.finditer(actual)]
        for one, other in zip(before, after):
            known = self.stands_for.setdefault(one, other)
            assert known == other, (path, recorded, actual)


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_client_hears_what_it_heard(transcript, start_server):
    play = Play(start_server())
    entries = [json.loads(line) for line in transcript.read_text().splitlines()]
    assert len(entries) > 50
    for number, entry in enumerate(entries, 1):
        answer = play.request(entry)
        where = f"{number}: {entry['method']} {entry['target'].split('?')[0]}"
        assert answer.status == entry["status"], (where, answer.body[:500])
        recorded = entry["answer"]
        if "json" in recorded:
            play.compare(recorded["json"], json.loads(answer.body), where)
        else:
            wanted = base64.b64decode(recorded["base64"]) if "base64" in recorded else recorded["text"].encode()
            assert answer.body == wanted, where
    assert play.stands_for


def test_a_wrong_answer_is_seen(start_server):
    """The comparison can fail: a changed value, a missing field, a time that is none, another id."""
    play = Play(None)
    one, other = "a" * 32, "b" * 32
    play.compare({"run_id": one, "start_time": 5, "x": "y"}, {"run_id": other, "start_time": 9, "x": "y"})
    for recorded, actual in [
        ({"x": 1}, {"x": 2}), ({"x": 1}, {}), ({"start_time": 5}, {"start_time": 0}), ({"run_id": one}, {"run_id": one}),
        ({"uri": f"a/{one}"}, {"uri": f"b/{other}"}), ([1], [1, 1]), ({"x": "y"}, {"x": 3}),
    ]:
        with pytest.raises(AssertionError):
            play.compare(recorded, actual)
