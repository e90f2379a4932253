"""W&B's public API on a Martlet server: MongoDB's filters and orders find what they find there."""

import datetime

import martlet
import martlet.wandb as wandb
import pytest
from martlet import _wandb_query


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Five runs on a server that all tests of this file ask."""
    import serving

    server = serving.Server(tmp_path_factory.mktemp("server"))
    server.start()
    tried = [
        ("a", {"lr": 0.1, "opt": {"name": "sgd"}, "big": True}, ["keep"], {"loss": [3.0, 1.0]}),
        ("b", {"lr": 0.2, "opt": {"name": "adam"}, "big": False}, ["keep", "new"], {"loss": [2.0, 2.5]}),
        ("c", {"lr": 0.3, "opt": {"name": "adamw"}}, [], {"loss": [1.0, 0.5], "val": {"acc": [0.5, 0.75]}}),
        ("d", {"lr": "auto"}, ["it's odd"], {}),
        ("e", {}, [], {"loss": [9.0, 8.0]}),
    ]
    ids = {}
    for name, params, tags, metrics in tried:
        run = martlet.start_run("mongo", name=name, params=params, tags=tags, uri=server.address, strict=True, capture="none")
        for step in range(2):
            run.log({key: values[step] if isinstance(values, list) else {inner: each[step] for inner, each in values.items()}
                     for key, values in metrics.items()})
        run.finish("failed" if name == "e" else "finished")
        ids[name] = run.id
    yield server, ids
    server.stop()


@pytest.fixture
def found(made, monkeypatch):
    server, _ = made
    monkeypatch.setenv("MARTLET_TRACKING_URI", server.address)
    return lambda filters=None, **more: "".join(
        run.name for run in wandb.Api().runs("someone/mongo", filters=filters, **more))


@pytest.mark.parametrize("filters, expected", [
    ({}, "abcde"),
    ({"config.lr": 0.1}, "a"),
    ({"config.lr.value": {"$gt": 0.1}}, "bc"),
    ({"config.lr": {"$gte": 0.1, "$lt": 0.3}}, "ab"),
    ({"config.lr": {"$ne": 0.1}}, "bcde"),
    ({"config.lr": {"$in": [0.1, "auto"]}}, "ad"),
    ({"config.lr": {"$nin": [0.1, "auto"]}}, "bce"),
    ({"config.lr": {"$exists": False}}, "e"),
    ({"config.lr": None}, "e"),
    ({"config.big": True}, "a"),
    ({"config.opt.name": {"$regex": "^adam"}}, "bc"),
    ({"config.opt.name": {"$regex": "^ADAM$", "$options": "i"}}, "b"),
    ({"config.opt.name": {"$not": {"$regex": "w"}}}, "abde"),
    ({"summary_metrics.loss": {"$lte": 1}}, "ac"),
    ({"summary_metrics.loss.min": {"$lt": 2.5}}, "abc"),
    ({"summary_metrics.val.acc": {"$gt": 0.7}}, "c"),
    ({"summary_metrics.val/acc": 0.75}, "c"),
    ({"state": "failed"}, "e"),
    ({"state": {"$in": ["finished", "crashed"]}}, "abcd"),
    ({"tags": "keep"}, "ab"),
    ({"tags": {"$in": ["new", "it's odd"]}}, "bd"),
    ({"tags": {"$nin": ["keep"]}}, "cde"),
    ({"tags": {"$all": ["keep", "new"]}}, "b"),
    ({"display_name": {"$regex": "[ab]"}}, "ab"),
    ({"$or": [{"config.lr": 0.1}, {"display_name": "e"}]}, "ae"),
    ({"$and": [{"tags": "keep"}, {"$or": [{"config.lr": 0.2}, {"state": "failed"}]}]}, "b"),
    ({"$nor": [{"tags": "keep"}, {"state": "failed"}]}, "cd"),
    ({"tags": "keep", "config.lr": {"$gt": 0.15}}, "b"),
    ({"created_at": {"$gt": "2020-01-01"}}, "abcde"),
    ({"created_at": {"$lt": datetime.datetime(2020, 1, 1)}}, ""),
    ({"created_at": {"$gt": datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)}, "display_name": "c"}, "c"),
])
def test_filters_find_what_they_find_there(found, filters, expected):
    assert found(filters) == expected


@pytest.mark.parametrize("order, expected", [
    ("+created_at", "abcde"), ("created_at", "abcde"), ("-created_at", "edcba"), ("+summary_metrics.loss", "cabed"),
    ("-summary_metrics.loss", "ebacd"), ("-config.lr.value", "cbade"), ("-state,+display_name", "abcde"),
])
def test_orders_are_those_of_there(found, order, expected):
    assert found(order=order) == expected


@pytest.mark.parametrize("filters, words", [
    ({"config.lr": {"$mod": [2, 0]}}, r"\$mod of config.lr has no counterpart"),
    ({"sweep": "x"}, "no field sweep"),
    ({"$where": "1"}, r"\$where stands where"),
    ({"$or": {"a": 1}}, "takes a list of filters"),
    ({"config.lr": {"$in": []}}, "takes a list of values"),
    ({"config.lr": {}}, "empty"),
    ({"config.lr": {"$gt": [1]}}, "texts, numbers"),
    ({"summary_metrics.loss": float("nan")}, "no comparison"),
    ({"created_at": {"$regex": "2020"}}, "looks into texts"),
    ({"tags": {"$exists": True}}, "takes values"),
    ([1], "takes a dict"),
])
def test_what_has_no_counterpart_is_one_clear_error(filters, words):
    with pytest.raises(martlet.MartletError, match=words):
        _wandb_query.search_of(filters)


def test_odd_names_and_texts_stay_what_they_are(found):
    assert _wandb_query.search_of({"config.a`b": "it's"}) == "params.`a``b` = 'it''s'"
    assert found({"config.x') OR (1": {"$gt": 1}}) == "" and found({"display_name": "' OR name LIKE '%"}) == ""
    with pytest.raises(martlet.MartletError, match="ordered by tags"):
        wandb.Api().runs("mongo", order="tags")


def test_a_run_is_found_by_its_path_and_by_the_id_that_it_was_given(made, found):
    server, ids = made
    with martlet.start_run("mongo2", id="my-own-id", uri=server.address, capture="none", params={"a": {"b": 1}}) as run:
        run.log({"x": 1.0})
    api = wandb.Api()
    assert api.run("someone/mongo2/my-own-id").id == run.id == api.run(f"mongo2/{run.id}").id
    assert api.run("someone/mongo/b").id == ids["b"]
    assert api.run("mongo2/my-own-id").config == {"a": {"b": 1}}
    assert api.run("mongo2/my-own-id").url == f"{server.address}/runs/{run.id}"
    with pytest.raises(martlet.RunNotFound):
        api.run("mongo2/abc-123-def")
