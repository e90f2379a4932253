"""A run's settings are copied as text that means the same where it is pasted."""

import ast
import shlex

import pytest

from store import call

PARAMS = {"lr": 0.1, "depth": 6, "warm": True, "name": "resnet/v2", "word": "yes", "day": "2026-11-28", "shell": "a b; rm * $HOME", "quote": "it's", "key with a space": "x"}


@pytest.fixture()
def copied(page, server):
    run = call(server, "POST", "/runs", {"experiment": "copied", "params": PARAMS})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/runs/{run['id']}")

    def copy(kind):
        page.get_by_role("button", name="Copy", exact=True).click()
        page.get_by_role("button", name=f"Config as {kind}").click()
        page.get_by_text("Config copied").wait_for()
        return page.evaluate("navigator.clipboard.readText()")

    return call(server, "GET", f"/runs/{run['id']}")["params"], copy


def test_as_python(copied):
    params, copy = copied
    assert ast.literal_eval(copy("Python").removeprefix("config = ")) == params == PARAMS


def test_as_options_a_shell_reads_each_as_one_word(copied):
    params, copy = copied
    text = copy("options")
    words = dict(word.removeprefix("--").split("=", 1) for word in shlex.split(text))
    assert words == {key: "true" if value is True else str(value) for key, value in params.items()}
    assert "--lr=0.1 --depth=6 " in text, "what needs no quotes has none"


def test_as_yaml_words_that_yaml_would_read_otherwise_stand_in_quotes(copied):
    _, copy = copied
    assert copy("YAML").splitlines() == [
        "lr: 0.1", "depth: 6", "warm: true", "name: resnet/v2", 'word: "yes"', 'day: "2026-11-28"', 'shell: "a b; rm * $HOME"',
        'quote: "it\'s"', '"key with a space": x']
