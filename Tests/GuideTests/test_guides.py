"""The code blocks of the guides themselves, taken from where they lie at run time; nothing of them is kept here.

They are looked for in a folder `shared/seeds` beside the checkout, or where MARTLET_SEEDS says. What a block takes for
granted (data, a model, a training function) is set before it; its own words are run as they are.
"""

import json
import os
import re
from pathlib import Path

import pytest
from conftest import INCREMENT, ROOT, run_program

SEEDS = Path(os.environ.get("MARTLET_SEEDS") or ROOT.parent / "shared" / "seeds")


def guide(number):
    found = sorted(SEEDS.glob("%s_*.txt" % number)) if SEEDS.is_dir() else []
    return found[0].read_text(encoding="utf-8") if found else None


def blocks(text, language="python"):
    """Blocks of a language with the heading above each, and a number where a heading has several."""
    found, heading, inside, lines = [], "", None, []
    for line in (text or "").split("\n"):
        if inside is None and line.startswith("```"):
            inside, lines = line[3:].strip(), []
        elif inside is not None and line.startswith("```"):
            if inside == language:
                found.append((heading, "\n".join(lines) + "\n"))
            inside = None
        elif inside is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.strip("# ").strip()
    titles = [title for title, _ in found]
    return [("%s (%d)" % (title, titles[:at].count(title) + 1) if titles.count(title) > 1 else title, block)
            for at, (title, block) in enumerate(found)]


FIRST, SECOND = guide("001"), guide("003")

# -- The first guide: one story. Its blocks share names and a store, so they are run in the order of the document.

STORY = '''
import json, os, sys

blocks, more, files = json.load(open(sys.argv[1]))
for path in files:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(path.encode())

space = {"__name__": "__main__"}
told = []
for title, block in blocks:
    exec(more[""] + more.get(title, ""), space)
    try:
        exec(compile(block, title, "exec"), space)
        told.append([title, None, ""])
    except Exception as error:
        told.append([title, type(error).__name__, str(error)])
tracker = space.get("tracker")
facts = {}
if tracker is not None:
    facts["counts"] = {name: len(tracker.search_runs(experiment_name=name)) for name in (
        "mental_health_risk_model", "risk_prediction", "production_model", "risk_model")}
    first = tracker.get_run("baseline_v1")
    facts["first"] = [first.status, first.params, first.tags["dataset"], sorted(each["path"] for each in first.artifacts)]
    facts["history"] = len(tracker.get_metric_history(first.run_id, "accuracy"))
    model = tracker._store.ask("GET", "models", "risk_predictor_v2", "versions", "latest")
    facts["model"] = [model["run_id"] == tracker.search_runs(experiment_name="production_model")[0].run_id,
                      model["metadata"]["accuracy"]]
    facts["unfinished"] = [run.status for run in tracker.search_runs("risk_model")]
json.dump([told, facts], open("told.json", "w"))
'''

GRANTED = """
loss, accuracy, num_epochs, params = 0.3, 0.93, 7, {"depth": 3}
train_epoch = lambda: 0.8
validate = lambda: {"val_accuracy": 0.7}
train_model = lambda: "a model"
bucket = globals().setdefault("bucket", {})
upload_to_s3 = lambda artifact, path: bucket.setdefault("s3://my-experiments/" + path, artifact) and "s3://my-experiments/" + path
download_from_s3 = lambda uri: bucket[uri]
"""
MORE = {"": GRANTED, "3. Log Incrementally": 'train_epoch = lambda: {"train_accuracy": 0.8}\n'}
FILES = ["model.pkl", "confusion_matrix.png", "models/model.pkl", "plots/roc_curve.png", "plots/feature_importance.png",
         "data/predictions.csv", "reports/model_card.html"]
# These name runs that nobody made; the answer says so.
MADE_UP = {"Get a Specific Run": "abc-123-def", "Compare Runs": "run1", "Issue: Run not found": "correct-uuid-here"}


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    if FIRST is None:
        pytest.skip("no guides in %s" % SEEDS)
    folder = tmp_path_factory.mktemp("story")
    (folder / ".martlet").mkdir()
    given = folder / "blocks.json"
    given.write_text(json.dumps([blocks(FIRST), MORE, FILES]))
    done = run_program(folder, STORY, str(given), environment={"MARTLET_CAPTURE": "none", "HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    told, facts = json.loads((folder / "told.json").read_text())
    return {title: (kind, words) for title, kind, words in told}, facts


@pytest.mark.parametrize("title", [title for title, _ in blocks(FIRST)] or [
    pytest.param("", marks=pytest.mark.skip(reason="no guides in %s" % SEEDS))])
def test_a_block_of_the_first_guide_runs(story, title):
    kind, words = story[0][title]
    if title in MADE_UP:
        assert kind == "RunNotFound" and MADE_UP[title] in words
    else:
        assert kind is None, words


def test_the_first_guide_left_what_it_says(story):
    facts = story[1]
    assert facts["first"] == [
        "FINISHED", {"n_estimators": 100, "max_depth": 10, "learning_rate": 0.01}, "v1.2", ["confusion_matrix.png", "model.pkl"]]
    assert facts["history"] == 10
    assert facts["counts"]["risk_prediction"] == 4 and facts["counts"]["production_model"] == 1
    assert facts["model"] == [True, 0.93]


# -- The second guide: each block stands alone, in a folder and a store of its own.

# Names that blocks use, and what gives them. Only what a block needs stands before it: these libraries load slowly.
GRANTED_PARTS = [
    ("sys", "import sys"),
    ("sklearn", "import sklearn"),
    ("track_experiment", "from specweave import track_experiment"),
    ("X y X_train X_test y_train y_test", """
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
X, y = load_iris(return_X_y=True)
X, _, y, _ = train_test_split(X, y, train_size=60, stratify=y, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"""),
    ("model train_model", """
from sklearn.linear_model import LogisticRegression
model = LogisticRegression(max_iter=500).fit(X_train, y_train)
train_model = lambda features: model"""),
    ("XGBClassifier", "from xgboost import XGBClassifier"),
    ("LGBMClassifier", "from lightgbm import LGBMClassifier"),
    ("RandomForestClassifier", "from sklearn.ensemble import RandomForestClassifier"),
    ("params accuracy", "params, accuracy = {'n_estimators': 5, 'max_depth': 2}, 0.87"),
    ("preprocessor", "from sklearn.preprocessing import StandardScaler\npreprocessor = StandardScaler().fit([[1], [2]])"),
    ("cm_plot roc_plot", "from matplotlib.figure import Figure\ncm_plot, roc_plot = Figure(), Figure()"),
    ("importance_df", "import pandas\nimportance_df = pandas.DataFrame({'feature': ['a'], 'importance': [0.5]})"),
    ("requirements conda_env", "requirements, conda_env = 'numpy==2.0\\n', {'name': 'x', 'dependencies': ['python=3.11']}"),
    ("df preprocess engineer_features", """
import pandas
df = pandas.DataFrame({"a": [1, 2, None]})
preprocess = lambda frame: frame.dropna()
engineer_features = lambda frame: frame"""),
    # The strategies of the guide are words of its own; this class knows them, and the library's does not.
    ("DummyClassifier", """
import sklearn.dummy
class DummyClassifier(sklearn.dummy.DummyClassifier):
    def __init__(self, strategy="prior"):
        super().__init__(strategy={"random": "uniform", "majority": "most_frequent"}.get(strategy, strategy))"""),
]


def granted(block):
    """What a block takes for granted, in order."""
    needed, found = set(re.findall(r"\w+", block)), []
    for names, text in reversed(GRANTED_PARTS):
        if needed & set(names.split()):
            needed |= set(re.findall(r"\w+", text))
            found.insert(0, text)
    return "\n".join(found) + "\n"


FOUR = """
for name, accuracy, precision, recall, f1, seconds in (
    ("exp-001-baseline", .65, .60, .55, .57, 2), ("exp-002-xgboost", .87, .85, .83, .84, 45),
    ("exp-003-lightgbm", .86, .84, .82, .83, 32), ("exp-004-neural-net", .85, .83, .81, .82, 320),
):
    with track_experiment(name) as exp:
        exp.log_metrics({"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1, "training_time": seconds})
"""

OUT_OF_MEMORY = """
class Model:
    def fit(self, X, y):
        raise MemoryError("4 GiB")
model = Model()
"""

KERAS = """
class Model:
    name = "net"
    def fit(self, X, y, callbacks):
        for callback in callbacks:
            callback.set_params({"epochs": 1})
            callback.set_model(self)
            callback.on_train_begin()
            callback.on_epoch_begin(0)
            callback.on_epoch_end(0, {"loss": 0.5})
            callback.on_train_end()
model = Model()
"""

WANDB = """
import os
def init(name=None, project=None, **more):
    class Run:
        def __init__(self): self.name, self.config = name, {}
        def log(self, data, step=None): pass
        def log_model(self, path): pass
        def finish(self, exit_code=None): pass
    print("project", project or os.environ.get("WANDB_PROJECT"))
    return Run()
"""

# By heading: what stands before the block, and what must hold after it.
BEFORE = {
    "Experiment Comparison": FOUR, "3. Document Failures": OUT_OF_MEMORY, "TensorBoard": KERAS,
    "2. Log Everything": 'exp = track_experiment("everything")\n',
}


class Left:
    """What a block left behind."""

    def __init__(self, folder, done):
        self.folder = folder / ".specweave" / "increments" / INCREMENT
        self.experiments = self.folder / "experiments"
        self.said = done.stdout + done.stderr

    def json(self, name, file):
        return json.loads((self.experiments / name / file).read_text())

    def files(self, name):
        return sorted(str(path.relative_to(self.experiments / name)) for path in (self.experiments / name).rglob("*")
                      if path.is_file())

    def about(self, name):
        return (self.experiments / name / "metadata.yaml").read_text()


OURS = ["metadata.yaml", "metrics.json", "params.json"]


def after_auto(left):
    assert left.json("baseline-model", "metrics.json") == {"accuracy": 0.87}


def after_built_in(left):
    assert left.files("xgboost-v1") == ["metadata.yaml", "metrics.json", "model.pkl", "params.json"]
    assert left.json("xgboost-v1", "params.json") == {"n_estimators": 100}


def after_mlflow(left):
    assert left.json("xgboost-v1", "params.json") == {"n_estimators": 100}
    assert left.json("xgboost-v1", "metrics.json") == {"auc": 0.87}
    assert "model/MLmodel" in left.files("xgboost-v1")


def after_wandb(left):
    assert left.json("xgboost-v1", "metrics.json") == {"auc": 0.87}
    assert "model.pkl" in left.files("xgboost-v1")


def after_comparison(left):
    # The guide prints what comes out.
    shown = dict(blocks(SECOND, "markdown"))["Experiment Comparison"]
    assert (left.experiments / "comparison.md").read_text().strip() == shown.strip()


def after_decorator(left):
    assert left.json("xgboost-auto", "params.json")["max_depth"] == 2
    assert "score" in left.json("xgboost-auto", "metrics.json") and "model.pkl" in left.files("xgboost-auto")


def after_hyperparameters(left):
    name, = [path.name for path in left.experiments.iterdir() if path.is_dir()]
    assert len((left.experiments / name / "results.csv").read_text().splitlines()) == 28
    assert "parameter_importance.csv" in left.files(name)


def after_cross_validation(left):
    name, = [path.name for path in left.experiments.iterdir() if path.is_dir()]
    assert {"cv_mean", "cv_std"} <= set(left.json(name, "metrics.json"))
    assert len((left.experiments / name / "folds.csv").read_text().splitlines()) == 6


def after_artifacts(left):
    assert left.files("xgboost-v1") == sorted([*OURS, "preprocessor.pkl", "model.pkl", "confusion_matrix.png", "roc_curve.png",
                                               "feature_importance.csv", "requirements.txt", "conda_env.yaml"])


def after_metadata(left):
    about = left.about("xgboost-v3")
    assert "git_commit: a3b8c9d" in about and "data_version: v2024-01" in about and "- production-candidate" in about


def after_names(left):
    assert (left.experiments / "xgboost-tuned-depth6-lr0.1").is_dir() and "“exp1” will not tell" in left.said


def after_everything(left):
    assert left.json("everything", "params.json")["random_seed"] == 42


def after_failure(left):
    about = left.about("neural-net-attempt")
    assert "status: failed" in about and about.index("FAILED: 4 GiB") < about.index("Reason: Out of memory")


def after_data(left):
    assert "dvc: a3b8c9d" in left.about("xgboost-v1")


def after_baselines(left):
    text = (left.experiments / "baselines.md").read_text()
    assert all("baseline-" + strategy in text for strategy in ("random", "majority", "stratified"))


def after_grid_search(left):
    name, = [path.name for path in left.experiments.iterdir() if path.is_dir()]
    assert len((left.experiments / name / "results.csv").read_text().splitlines()) == 10
    assert {"parameter_importance.png", "model.pkl"} <= set(left.files(name))


def after_models(left):
    text = (left.experiments / "comparison.md").read_text()
    assert all("| %s" % name in text for name in ("xgboost", "lightgbm", "random-forest")) and "**Best Model**" in text


def after_mlflow_wrapper(left):
    assert left.files("xgboost") == OURS


def after_wandb_wrapper(left):
    assert left.files("xgboost") == OURS and "project " + INCREMENT in left.said


def after_tensorboard(left):
    assert list((left.folder / "tensorboard").rglob("events.out.tfevents.*"))
    assert left.json("net", "metrics.json") == {"loss": 0.5}


def after_pipeline(left):
    metrics = left.json("recommendation-full-pipeline", "metrics.json")
    assert (metrics["preprocessing/rows_before"], metrics["preprocessing/rows_after"]) == (3, 2)
    assert metrics["training/accuracy"] == 0.87


AFTER = {
    "Auto-Configuration": after_auto, "Tracking Backends (1)": after_built_in, "Tracking Backends (2)": after_mlflow,
    "Tracking Backends (3)": after_wandb, "Experiment Comparison": after_comparison, "1. Automatic Logging": after_decorator,
    "2. Hyperparameter Tracking": after_hyperparameters, "3. Cross-Validation Tracking": after_cross_validation,
    "4. Artifact Management": after_artifacts, "5. Experiment Metadata": after_metadata,
    "1. Name Experiments Clearly": after_names, "2. Log Everything": after_everything, "3. Document Failures": after_failure,
    "5. Link to Data Versions": after_data, "Example 1: Baseline Experiments": after_baselines,
    "Example 2: Hyperparameter Grid Search": after_grid_search, "Example 3: Model Comparison": after_models,
    "MLflow": after_mlflow_wrapper, "Weights & Biases": after_wandb_wrapper, "TensorBoard": after_tensorboard,
    "Advanced: Multi-Stage Experiments": after_pipeline,
}

@pytest.mark.parametrize("title", [title for title, _ in blocks(SECOND)] or [
    pytest.param("", marks=pytest.mark.skip(reason="no guides in %s" % SEEDS))])
def test_a_block_of_the_second_guide_runs(title, place, increment):
    for library in ("sklearn", "xgboost", "lightgbm", "pandas", "matplotlib"):
        pytest.importorskip(library)
    if title in ("Tracking Backends (2)", "MLflow"):
        pytest.importorskip("mlflow")
    try:
        import wandb  # noqa: F401
    except ImportError:
        # Not installed here: its calls, which do nothing.
        (place / "wandb.py").write_text(WANDB)
    before = BEFORE.get(title, "")
    block = dict(blocks(SECOND))[title]
    (place / "model.pkl").write_bytes(b"model")
    (place / "block.txt").write_text(block)
    program = (granted(before + block) + before + "exec(compile(open('block.txt').read(), 'block', 'exec'))\n")
    done = run_program(place, program, environment={"MARTLET_CAPTURE": "none", "WANDB_MODE": "offline"})
    assert done.returncode == 0, done.stderr[-3000:]
    if title in AFTER:
        AFTER[title](Left(place, done))


def test_every_block_that_tracks_is_looked_at_afterwards():
    if SECOND is None:
        pytest.skip("no guides in %s" % SEEDS)
    titles = {title for title, block in blocks(SECOND) if "specweave" in block or "exp." in block}
    assert titles <= set(AFTER), titles - set(AFTER)
