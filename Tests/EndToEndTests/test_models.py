"""Models: registered from a run by HTTP and by the command, seen on the run's page, and still there after a restart."""

import json

from serving import martlet


def test_a_run_s_artifact_becomes_a_version_that_is_found_fetched_and_kept(server, tmp_path):
    run = server.run("trained", metrics={"acc": 0.91})
    server.ask("PUT", f"/api/v1/runs/{run}/artifacts/models/best.pt", b"weights").expect(201)
    made = server.post(
        "/api/v1/models/churn/versions",
        {"run_id": run, "path": "models/best.pt", "create_model": True, "metadata": {"accuracy": 0.91}}).expect(201).json
    assert made["version"] == 1 and made["run_id"] == run and made["source"] == f"runs:/{run}/models/best.pt"

    listed = martlet("models", "register", "churn", "--run", run, "--path", "models", "--alias", "champion", "--json",
                     uri=server.address, home=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["version"] == 2
    assert martlet("models", "stage", "churn", "champion", "Production", uri=server.address,
                   home=tmp_path).returncode == 0

    page = server.get(f"/api/v1/runs/{run}").expect(200).json
    assert [(one["name"], one["version"], one["stage"]) for one in page["model_versions"]] == [
        ("churn", 1, "None"), ("churn", 2, "Production")]
    shown = martlet("runs", "show", run, uri=server.address, home=tmp_path)
    assert "Registered as" in shown.stdout and "champion, Production" in shown.stdout

    place = server.get("/api/v1/models/churn/versions/1/download-uri").expect(200).json
    assert server.get(place["download_path"]).expect(200).body == b"weights"

    server.kill()
    server.start()
    found = server.get("/api/v1/model-versions?filter=stage%20%3D%20'Production'").expect(200).json
    assert [one["version"] for one in found["model_versions"]] == [2]
    assert server.get("/api/v1/models/churn/versions/champion").json["version"] == 2
    table = martlet("models", "list", "--csv", uri=server.address, home=tmp_path)
    assert table.stdout.splitlines()[1].startswith("churn,2,champion=2,")


def test_both_ways_of_the_guides_end_in_a_version_that_names_its_run(server):
    run = server.run("guided")
    first = server.post(
        "/api/v1/models/spam/versions",
        {"model_path": "models/spam.pkl", "metadata": {"run_id": run, "accuracy": 0.94}, "create_model": True})
    second = server.post(
        "/api/v1/models/spam/versions",
        {"run_id": run, "artifacts": ["spam.pkl"], "metrics": {"f1": 0.9}, "parameters": {"depth": 6}})
    for answer in (first, second):
        assert answer.expect(201).json["run_id"] == run
    versions = server.get(f"/api/v1/runs/{run}/model-versions").expect(200).json["model_versions"]
    assert [one["version"] for one in versions] == [1, 2]
    server.post("/api/v1/models/nothing/versions", {"run_id": run}).refused(404, "create_model")
