"""How the packages come onto the path, and how they stay out of the way of a project's own."""

import subprocess
import sys

from conftest import PACKAGES, ROOT, run_program


def project(place, files):
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)


PROGRAM = """
import src.ds.storage
print(src.ds.storage.MINE)
import src.settings
print(src.settings.MINE)
"""


def test_a_project_that_owns_src_keeps_it(place):
    for initial in (True, False):
        files = {"src/settings.py": "MINE = 'settings'\n", "src/ds/storage.py": "MINE = 'storage'\n"}
        if initial:
            files.update({"src/__init__.py": "", "src/ds/__init__.py": ""})
        home = place / ("package" if initial else "namespace")
        project(home, files)
        done = run_program(home, PROGRAM)
        assert done.stdout.split() == ["storage", "settings"], done.stderr


def test_a_project_with_other_modules_in_src_has_both_unless_its_src_is_a_closed_package(place):
    program = "import src.mine\nfrom src.ds.experiment_tracker import ExperimentTracker\nprint(ExperimentTracker.__name__)\n"
    project(place / "open", {"src/mine.py": ""})
    assert run_program(place / "open", program).stdout.strip() == "ExperimentTracker"
    project(place / "closed", {"src/mine.py": "", "src/__init__.py": ""})
    assert "No module named 'src.ds'" in run_program(place / "closed", program).stderr


def test_a_projects_own_specweave_is_kept(place):
    project(place, {"specweave/__init__.py": "MINE = 1\n"})
    assert run_program(place, "import specweave\nprint(specweave.MINE)\n").stdout.strip() == "1"


def test_nothing_is_on_the_path_before_it_is_asked_for(place):
    import os

    text = (
        "import martlet_compat, importlib.util, sys\n"
        "assert importlib.util.find_spec('src') is None and importlib.util.find_spec('specweave') is None\n"
        "before = len(sys.path)\n"
        "martlet_compat.install(); martlet_compat.install()\n"
        "assert len(sys.path) == before + 1\n"
        "import specweave, src.ml.model_registry\n"
        "martlet_compat.uninstall()\n"
        "assert len(sys.path) == before\n"
        "assert not {'mlflow', 'wandb', 'pandas', 'sklearn', 'numpy', 'matplotlib'} & set(sys.modules)\n")
    path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), *map(str, PACKAGES)])
    done = subprocess.run([sys.executable, "-c", text], cwd=place, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr


def test_a_program_is_run_as_python_would_run_it(place):
    done = run_program(place, (
        "import sys, os, neighbour\n"
        "print(__name__, sys.argv[1:], os.path.basename(sys.argv[0]), neighbour.X)\n"
        "sys.exit(3)\n"), "--flag", "7", name="folder/train.py") if not project(place, {"folder/neighbour.py": "X = 5\n"}) else None
    assert done.stdout.strip() == "__main__ ['--flag', '7'] train.py 5" and done.returncode == 3
    for arguments in ([], ["run"], ["walk", "x.py"], ["run", "absent.py"]):
        import os

        path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), *map(str, PACKAGES)])
        done = subprocess.run([sys.executable, "-m", "martlet_compat", *arguments], cwd=place, capture_output=True, text=True,
                              env={**os.environ, "PYTHONPATH": path})
        assert done.returncode == 2 and ("Usage" in done.stderr or "no program absent.py" in done.stderr)


def test_only_one_package_goes_into_the_distribution():
    text = (ROOT / "python" / "compat" / "pyproject.toml").read_text()
    assert 'packages = ["martlet_compat"]' in text
    guides = ROOT / "python" / "compat" / "martlet_compat" / "guides"
    assert not list((guides / "src").rglob("__init__.py"))
    assert all(len(path.read_text().splitlines()) < 40 for path in guides.rglob("*.py"))  # they only translate
