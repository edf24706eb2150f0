"""The command line as a person meets it: listings, mistakes, a small run, a coreset."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SMALL = """
name = "small"
version = 1
description = "Two rows"
fractions = [0.1]
replicates = 1
rows = ["random", "easycore"]
full = false

[dataset]
name = "digits"

[proxies.standard]
model = "mlp"
recipe = { epochs = 2 }

[regimes.standard]
model = "mlp"
recipe = { epochs = 2 }
epsilons = [0.1]
primary = 0.1
"""


def command(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "CORESET_BENCH_DATA"} | variables
    whole = [sys.executable, "-m", "benchmark", *arguments]
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), environment.get("PYTHONPATH", "")])
    return subprocess.run(whole, cwd=cwd, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def assert_refused(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


SELECT = ("select", "--dataset", "digits", "--method", "easycore", "--fraction", "0.3", "--out", "c.npz")


def but(option: str, value: str) -> tuple[str, ...]:
    """The select command with one option changed."""
    at = SELECT.index(option)
    return (*SELECT[: at + 1], value, *SELECT[at + 2 :])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "digit"), ("suite 'digit'", "'digits'")),
        (("run", "absent.toml"), ("absent.toml",)),
        (("run", "digits", "--row", "easycor"), ("method 'easycor'", "'easycore'")),
        (("run", "digits", "--row", "easycore"), ("has the row 'easycore' already",)),
        (("run", "digits", "--clock", "hours"), ("hours", "epochs, steps or cost")),
        (("run", "digits", "--device", "tpu"), ("tpu",)),
        (("run", "digits", "--within", "soon"), ("'soon' is no length of time", "9m")),
        (("pack", "all.zip"), (".tar.gz",)),
        (("pack", "all.tar.gz", "--without", "modle"), ("'modle'", "did you mean 'model'")),
        (("pack", "all.tar.gz"), ("nothing to pack in store",)),
        (("unpack", "absent.tar.gz"), ("no file 'absent.tar.gz'",)),
        (("plan", "cifar"), ("'cifar10'",)),
        (("explain", "digits/easycore/0.3/trade/0"), ("'digits/easycore/0.3/trades/0'",)),
        (("explain", "nonsense"), ("'nonsense' is no cell",)),
        (("methods", "esycore"), ("'easycore'",)),
        (("methods", "easycore@lo"), ("policy 'lo'", "'low'")),
        (("methods", "herding@low"), ("takes no policy",)),
        (("check", "nowhere:nothing"), ("nowhere:nothing",)),
        (("new-method", "Not A Name"), ("Not A Name",)),
        (("publish", "digits"), ("run",)),
        (but("--dataset", "digit"), ("data set 'digit'", "'digits'")),
        (but("--method", "easycor"), ("'easycore'",)),
        (but("--fraction", "0"), ("(0, 1]",)),
        (but("--fraction", "1.5"), ("(0, 1]",)),
        (but("--out", "c.txt"), (".npz or .csv",)),
        (but("--dataset", "imagefolder:nowhere"), ("--suite",)),
        ((*but("--dataset", "imagefolder:nowhere"), "--suite", "imagenette"), ("nowhere",)),
        ((*SELECT, "--param", "squared"), ("KEY=VALUE",)),
        ((*SELECT, "--param", "square=true"), ("'squared'",)),
        ((*SELECT, "--param", "squared=ture"), ("takes true or false, not 'ture'",)),
        ((*but("--method", "easycore@lo"),), ("policy 'lo'", "'low'")),
        (("run", "digits", "--row", "full"), ("Suite 'digits' with --row full", "the row of the full pool")),
        (("run", "digits", "--row", "loss@high", "--row", "loss@high"), ("has the row 'loss@high' already",)),
        (("leaderboard", "digits", "--check"), ("leave the suite out",)),
        (("leaderboard", "--json"), ("--json is for one suite",)),
        (("leaderboard", "digits"), ("There are no results in results/local",)),
        (("run", "digits", "--only", "*/easycor/*"), ("No cell of 'digits' matches '*/easycor/*'",)),
        ((*but("--dataset", "cifar10"), "--suite", "cifar10-tiny", "--data", "absent"), ("CORESET_BENCH_DATA",)),
    ],
)
def test_a_mistake_is_one_sentence_with_its_mend(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert_refused(done, 2, *words)
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('name = "digits"', 'nme = "digits"', ("'nme'", "'name'")),
        ("replicates = 1", "replicates = 0", ("replicates",)),
        ("fractions = [0.1]", "fractions = [1.5]", ("fractions",)),
        ("primary = 0.1", "primary = 0.3", ("primary",)),
        ("epochs = 2", "epochz = 2", ("'epochz'", "'epochs'")),
        ('model = "mlp"', 'model = "mpl"', ("model 'mpl'", "'mlp'")),
        ('"easycore"', '{ method = "easycore", policy = "lw" }', ("policy 'lw'",)),
        ('"easycore"', '{ method = "easycore", params = { square = true } }', ("'squared'",)),
        ('"easycore"', '{ method = "easycore", proxy = "robust" }', ("'robust'",)),
        ('"easycore"', '"random"', ("two rows are called 'random'",)),
        ('name = "digits"', 'name = "digitz"', ("'digits'",)),
        ("epsilons = [0.1]", "epsilons = []", ("epsilons",)),
        ("fractions = [0.1]", "fractions = [0.1, 0.10000001]", ("first six digits",)),
        ("[dataset]", "[attacks.autoattack]\nreplicates = [1]\n[dataset]", ("autoattack names replicate 1 of 0 to 0",)),
        ("[dataset]", "[dataset", ("not valid TOML",)),
    ],
)
def test_a_mistake_in_a_suite_names_the_key(
    before: str, after: str, words: tuple[str, ...], suite: Path, tmp_path: Path
) -> None:
    assert before in SMALL
    suite.write_text(SMALL.replace(before, after))
    assert_refused(command("plan", str(suite), cwd=tmp_path), 2, *words)


def test_a_folder_that_cannot_be_written_is_named_before_any_work(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    done = command("run", str(suite), "--store", "taken/store", cwd=tmp_path)
    assert_refused(done, 2, "taken/store")
    assert not (tmp_path / "store").exists()


COMMANDS = ["calibrate", "check", "claims", "datasets", "explain", "export", "figures", "leaderboard", "ledger"]
COMMANDS += ["methods", "new-method", "pack", "plan", "publish", "run", "scores", "select", "site", "suites", "tune"]
COMMANDS += ["unpack"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(name: str, tmp_path: Path) -> None:
    shown = command(name, "--help", cwd=tmp_path, COLUMNS="80")
    assert shown.returncode == 0
    assert f"Example: coreset-bench {name}" in re.sub(r"\s+", " ", shown.stdout)
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_help_lists_every_command_with_a_whole_sentence(tmp_path: Path) -> None:
    shown = command("--help", cwd=tmp_path, COLUMNS="80").stdout
    listed = shown[shown.index("Commands:") :].splitlines()[1:]
    assert sorted(line.split()[0] for line in listed) == COMMANDS
    assert all(line.endswith(".") and not line.endswith("...") for line in listed), shown


def test_listings_and_mistakes_import_nothing_heavy(tmp_path: Path) -> None:
    heavy = ("torch", "sklearn", "pandas", "scipy")
    for arguments in (["--help"], ["methods"], ["suites"], ["run", "digit"]):
        program = (
            "import sys\n"
            f"sys.argv = ['coreset-bench', *{arguments!r}]\n"
            "from benchmark.cli import main\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
        )
        assert done.stderr.strip().splitlines()[-1] == "[]", arguments


def test_listings_as_json(tmp_path: Path) -> None:
    methods = json.loads(command("methods", "--json", cwd=tmp_path).stdout)
    assert {row["name"]: row["policy"] for row in methods}["easycore"] == "low"
    datasets = json.loads(command("datasets", "--json", cwd=tmp_path).stdout)
    assert {row["name"]: row["here"] for row in datasets}["digits"] is True
    cells = json.loads(command("plan", "digits", "--json", cwd=tmp_path).stdout)
    assert len(cells) == (18 * 3 + 1) * 2 * 3
    assert not any(cell["done"] for cell in cells)


def test_a_folder_of_ones_own_images_gives_the_names_of_files(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("cats", "dogs"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (16, 16), (number, 0, 0)).save(tmp_path / "photos" / name / f"{number:02}.png")
    own = ("select", "--dataset", "imagefolder:photos", "--suite", "imagenette", "--fraction", "0.5")
    done = command(*own, "--method", "random@balanced", "--out", "c.csv", "--device", "cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "14 of 28 training images (50.0%)" in done.stdout
    assert "Not among the 28: 12 images of the folder, which are held out." in done.stdout
    heading, *lines = (tmp_path / "c.csv").read_text().splitlines()
    assert heading == "index,file"
    every = [f"{name}/{number:02}.png" for name in ("cats", "dogs") for number in range(20)]
    picked = [line.split(",") for line in lines]
    assert len(picked) == 14
    assert all(every[int(index)] == file for index, file in picked)


def test_a_small_run_explains_itself_and_then_has_nothing_to_do(suite: Path, tmp_path: Path) -> None:
    first = command("run", str(suite), "--jobs", "1", "--device", "cpu", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    local = tmp_path / "results" / "local" / "small"
    records = (local / "records.jsonl").read_bytes()
    assert "easycore" in (local / "leaderboard.md").read_text()
    second = command("run", str(suite), cwd=tmp_path)
    assert "Nothing to do" in second.stdout
    assert (local / "records.jsonl").read_bytes() == records
    again = command("explain", "small/easycore/0.1/standard/0", "--suite", str(suite), "--json", cwd=tmp_path)
    (explained,) = json.loads(again.stdout)
    assert all(stage["done"] for stage in explained["stages"])
    assert [stage["stage"] for stage in explained["stages"]][:5] == ["data", "proxy", "signal", "coreset", "model"]
    assert "seed" in explained["stages"][1]["what"]
    assert "easycore" in command("leaderboard", "small", cwd=tmp_path).stdout
    rates = json.loads(command("leaderboard", "small", "--json", cwd=tmp_path).stdout)
    assert [(row["row"], row["fraction"]) for row in rates] == [("random", 0.1), ("easycore", 0.1)]
    assert all(0 < row["clean"] <= 1 for row in rates)
    assert_refused(command("leaderboard", "smal", cwd=tmp_path), 2, "'smal'", "did you mean 'small'?")
    heavy = [word for kind in ("model", "proxy", "signal") for word in ("--without", kind)]
    assert "Packed: " in command("pack", "all.tar.gz", *heavy, cwd=tmp_path).stdout
    assert "; 0 were there" in command("unpack", "all.tar.gz", "--store", "other", cwd=tmp_path).stdout
    elsewhere = command("run", str(suite), "--within", "5m", "--store", "other", cwd=tmp_path)
    assert "Nothing to do" in elsewhere.stdout
    assert (local / "records.jsonl").read_bytes() == records


def test_the_command_that_explain_prints_makes_the_cell_anew(suite: Path, tmp_path: Path) -> None:
    """The rows and the clock of the cell's name, the data folder, and a store in which nothing is done yet."""
    (tmp_path / "again").mkdir()
    cell = "small+loss@high+balanced+random@balanced+steps/loss@high+balanced/0.1/standard/0"
    done = command("explain", cell, "--suite", str(suite), "--data", "my data", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (explained,) = json.loads(done.stdout)
    assert not any(stage["done"] for stage in explained["stages"])
    name, *arguments = shlex.split(explained["command"])
    assert name == "coreset-bench"
    assert arguments[arguments.index("--data") + 1] == "my data"
    again = command(*arguments, "--jobs", "1", "--device", "cpu", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    records = tmp_path / "again-2" / "results" / "local" / cell.split("/")[0] / "records.jsonl"
    (record,) = map(json.loads, records.read_text().splitlines())
    assert record["cell"] == cell
    assert set(record["keys"].values()) <= {stage["key"] for stage in explained["stages"]}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("tiny/easycore/0.1/standard/0", ("suite 'tiny'", "is 'small'")),
        ("small+els/easycore/0.1/standard/0", ("'els'",)),
        ("small/easycor/0.1/standard/0", ("'small/easycore/0.1/standard/0'",)),
    ],
)
def test_a_cell_of_another_suite_is_refused(cell: str, words: tuple[str, ...], suite: Path, tmp_path: Path) -> None:
    assert_refused(command("explain", cell, "--suite", str(suite), cwd=tmp_path), 2, *words)


def test_a_row_needs_the_proxy_that_it_reads(suite: Path, tmp_path: Path) -> None:
    robust = SMALL.replace("[proxies.standard]", "[proxies.robust]").replace('"random", ', "")
    suite.write_text(robust.replace('"easycore"', '{ method = "easycore", proxy = "robust" }'))
    assert_refused(command("plan", str(suite), "--row", "loss", cwd=tmp_path), 2, "--row loss", "proxy 'standard'")
    chosen = (*but("--method", "loss"), "--suite", str(suite))
    assert_refused(command(*chosen, cwd=tmp_path), 2, "--method loss", "suite 'small'", "proxy 'standard'")


def test_calibrates_a_suite_as_it_goes(suite: Path, tmp_path: Path) -> None:
    done = command("calibrate", str(suite), "--device", "cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Measured: standard, 1 of 1" in done.stderr
    assert "half at" in done.stdout
    assert not (tmp_path / "store").exists()


def test_selects_what_the_suite_selects(suite: Path, tmp_path: Path) -> None:
    chosen = (
        "select",
        "--dataset",
        "digits",
        "--suite",
        str(suite),
        "--fraction",
        "0.1",
        "--jobs",
        "1",
        "--device",
        "cpu",
    )
    done = command(*chosen, "--method", "easycore", "--out", "c.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = command(*chosen, "--method", "easycore", "--out", "c.csv", cwd=tmp_path)
    assert "proxies to trace" not in again.stdout
    indices, about = (np.load(tmp_path / "c.npz")[name] for name in ("indices", "about"))
    known = json.loads(str(about))
    assert (known["suite"], known["method"], known["fraction"], known["seed"]) == ("small", "easycore", 0.1, 0)
    assert (known["proxy"]["name"], known["proxy"]["model"]) == ("standard", "mlp")
    assert "standard proxy (mlp) of suite small" in done.stdout
    assert indices.dtype == np.int64
    assert len(set(indices.tolist())) == len(indices) == 110
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines[0] == "index"
    assert [int(line) for line in lines[1:]] == indices.tolist()


def test_select_goes_beyond_the_suite_s_fractions_attacks_and_replicates(suite: Path, tmp_path: Path) -> None:
    """AutoAttack in the suite names a fraction and a row that the coreset is not of; one replicate is planned."""
    attacked = '[attacks.autoattack]\nfractions = [0.1]\nrows = ["random"]\n'
    suite.write_text(SMALL + attacked)
    chosen = but("--fraction", "0.2")
    done = command(*chosen, "--suite", str(suite), "--seed", "3000", "--jobs", "1", "--device", "cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 proxy to trace" in done.stdout
    assert len(np.load(tmp_path / "c.npz")["indices"]) == 220


def test_digits_at_a_fraction_without_autoattack(tmp_path: Path) -> None:
    done = command(*but("--fraction", "0.1"), "--jobs", "1", "--device", "cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "(10.0%) by easycore" in done.stdout


def test_long_work_is_not_started_unasked(suite: Path, tmp_path: Path) -> None:
    suite.write_text(SMALL.replace("recipe = { epochs = 2 }", "recipe = { epochs = 900000 }"))
    done = command("run", str(suite), "--jobs", "1", "--device", "cpu", cwd=tmp_path)
    assert_refused(done, 2, "--yes")


def test_a_gpu_that_is_not_there_is_one_sentence(suite: Path, tmp_path: Path) -> None:
    done = command("run", str(suite), "--device", "cuda", "--within", "9m", cwd=tmp_path, CUDA_VISIBLE_DEVICES="")
    assert_refused(done, 2, "cannot use 'cuda' here; use --device cpu")
