"""Large files by MLflow's own client: in parts, and in pieces by addresses that the server signed."""

import hashlib
import json
import os

import pytest
import serving

pytestmark = pytest.mark.newest
SIZE = (100 << 20) + 12345 if serving.FULL else (6 << 20) + 12345
CHUNK = 10 << 20 if serving.FULL else 1 << 20


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "weights ä.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1000")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(CHUNK))
    monkeypatch.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", str(CHUNK))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def resident_peak(server):
    for line in open(f"/proc/{server.process.pid}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10


@pytest.mark.parametrize("kept", ["in the store", "in the operator's folder"])
def test_a_file_goes_up_in_parts_and_comes_down_in_pieces(kept, start_server, client, large, in_parts, tmp_path):
    folder = tmp_path / "uploads"
    server = start_server(*(["--artifacts-destination", folder] if "folder" in kept else []))
    client.set_tracking_uri(server.address)
    client.set_experiment("large")
    with client.start_run() as run:
        before = resident_peak(server)
        client.log_artifact(str(large), "models/deep")
        grown = resident_peak(server) - before
    parts = -(-SIZE // CHUNK)
    # A line is written after its answer was sent.
    serving.wait_for("the last line", lambda: "/mpu/complete/" in server.log, 5)
    log = server.log
    assert log.count("/mpu/create/") == 1 and log.count("/mpu/complete/") == 1
    assert log.count("/signed/parts/") == parts
    assert "signature=…" in log and "signature=a" not in log
    # The client sends several parts at once; what the server holds of them does not grow with the file.
    assert grown < 24 << 20, grown
    run_id = run.info.run_id
    found = server.get(f"/api/v1/runs/{run_id}/artifacts").expect(200).json["artifacts"]
    assert [(one["path"], one["size_bytes"]) for one in found] == [(f"models/deep/{large.name}", SIZE)]
    assert not list((server.folder / "artifacts" / "parts").iterdir())
    down = tmp_path / "down"
    down.mkdir()
    path = client.artifacts.download_artifacts(
        run_id=run_id, artifact_path=f"models/deep/{large.name}", dst_path=str(down))
    assert digest(type(large)(path)) == digest(large)
    serving.wait_for("the last line", lambda: server.log.count("/signed/artifacts/") >= parts, 5)
    assert server.log.count("/signed/artifacts/") == parts
    if "folder" in kept:
        assert [one.name for one in folder.rglob("*.bin")] == [large.name]


def test_without_being_told_to_a_client_sends_one_stream(client, server, large):
    client.set_experiment("large")
    with client.start_run():
        client.log_artifact(str(large))
    assert "/mpu/" not in server.log and "/signed/" not in server.log


def test_parts_and_pieces_work_where_tokens_are_asked_for(start_server, client, large, in_parts, tmp_path, monkeypatch):
    server = start_server("--auth-mode", "tokens")
    local = {"uri": server.folder, "home": tmp_path}
    serving.martlet("users", "add", "ada", "--role", "write", **local)
    token = json.loads(serving.martlet("tokens", "create", "ada", "--json", **local).stdout)["secret"]
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
    client.set_tracking_uri(server.address)
    client.set_experiment("large")
    with client.start_run() as run:
        client.log_artifact(str(large))
    path = client.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path=large.name, dst_path=str(tmp_path / "down"))
    assert digest(type(large)(path)) == digest(large)
    serving.wait_for("the lines", lambda: "/signed/parts/" in server.log and "/signed/artifacts/" in server.log, 5)
