"""The helpers of the end-to-end tests, for transcripts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "EndToEndTests"))

import serving  # noqa: E402


@pytest.fixture
def start_server(tmp_path):
    made = []

    def start():
        server = serving.Server(tmp_path / "store", logs=tmp_path).start()
        made.append(server)
        return server

    yield start
    for server in made:
        assert server.stop() == 0, server.log[-3000:]
