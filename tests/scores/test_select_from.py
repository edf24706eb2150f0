"""What is selected from released scores is what the run trained on, and what cannot be is refused in a sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.data import load
from benchmark.scores.replay import select_from
from methods.errors import UsageError
from methods.policies import NAMES
from tests.scores.conftest import OTHERS, POLICIES, Released

CLONE = Path(__file__).parents[2]
FAILING = "dyn-unc (window=1)"


def test_the_rows_here_have_every_policy_and_every_kind_of_answer(released: Released) -> None:
    assert {*"+".join([*POLICIES, *(row for row in OTHERS if row == "el2n@beta")]).replace("@", "+").split("+")} >= {
        *NAMES
    }
    entries = {entry.name: entry for entry in released.release.about.entries}
    assert entries["herding"].nested
    assert entries["craig"].weighted
    assert entries["d2"].fractions == entries["tdds"].fractions == (0.1, 0.3, 0.5)
    assert entries["dual"].seen == entries["el2n"].seen == 0.15
    assert {"random/0", "cal/1", "prototypes/0"} <= released.release.about.generators.keys()


def test_every_coreset_of_the_run_comes_out_bit_for_bit(released: Released) -> None:
    positions = load(released.suite.dataset).positions.numpy()
    compared, weighted = 0, 0
    for (row, fraction, replicate), selection in released.selections.items():
        if row == FAILING:
            continue
        coreset = released.coreset(selection)
        assert coreset is not None
        given = select_from(released.path, row, fraction, replicate)
        np.testing.assert_array_equal(given.indices, positions[coreset.arrays["indices"]], err_msg=selection.row.name)
        assert given.indices.dtype == np.int64
        assert (given.weights is None) == ("weights" not in coreset.arrays)
        if given.weights is not None:
            np.testing.assert_array_equal(given.weights, coreset.arrays["weights"])
            weighted += 1
        compared += 1
    assert compared == (len(released.suite.rows) - 1) * 3 * 2
    assert weighted == 3 * 3 * 2


def test_scores_take_policies_parameters_and_fractions_of_no_row(released: Released) -> None:
    scores = pd.read_parquet(released.path).set_index("position")
    easy = select_from(released.path, "easycore", 0.2, 1)
    assert {*easy.indices} == {*scores["easycore/1"].nsmallest(30).index}
    assert easy.about["params"] == {"squared": False}
    middle = select_from(released.path, "aum@middle", 1 / 150, 0)
    assert (scores["aum/0"] < scores["aum/0"][middle.indices[0]]).sum() in (74, 75)
    skipped = select_from(released.path, "easycore@low+window", 0.1, 0, ["skip=0.4"])
    assert {*skipped.indices} == {*scores["easycore/0"].nsmallest(75).index[60:]}
    one_a_class = select_from(released.path, "loss@balanced", 10 / 150, 0)
    assert sorted(scores["label"][one_a_class.indices]) == [*range(10)]
    squared = select_from(released.path, "easycore", 0.3, 0, ["squared=true"])
    assert squared.about["params"] == {"squared": True}
    np.testing.assert_array_equal(
        squared.indices, select_from(released.path, "easycore (squared=True)", 0.3, 0).indices
    )


def test_a_nested_order_serves_every_smaller_budget(released: Released) -> None:
    larger = select_from(released.path, "herding", 0.5, 0).indices
    np.testing.assert_array_equal(select_from(released.path, "herding", 0.2, 0).indices, larger[:30])


@pytest.mark.parametrize(
    ("method", "fraction", "seed", "params", "words"),
    [
        ("easycor", 0.3, 0, [], "Unknown method in .*'easycor'; did you mean 'easycore'"),
        ("easycore", 0.3, 2, [], "no replicate 2; pass --seed 0 or 1"),
        ("easycore", 1.5, 0, [], r"outside \(0, 1\]"),
        ("easycore@lo", 0.3, 0, [], "Unknown policy 'lo'"),
        ("easycore@low+stratified", 0.3, 0, ["bta=0.1"], "Unknown parameter of .* 'bta'; did you mean 'beta'"),
        ("el2n", 0.3, 0, ["proxies=3"], "has 'el2n' as 'el2n' only; select with --dataset"),
        ("el2n", 0.3, 0, ["proxies=many"], "takes int, not 'many'"),
        ("herding@low", 0.3, 0, [], "'herding' chooses its set itself and takes no policy; drop '@low'"),
        ("herding", 0.7, 0, [], "'herding' is released for up to 50 % of the pool, and 105 images of 150"),
        (
            "d2",
            0.2,
            0,
            [],
            "'d2' is released for 10 %, 30 % and 50 % of the pool, and 30 images of 150 is none of these",
        ),
        ("craig", 0.2, 0, [], "released for 10 %, 30 % and 50 %"),
        ("tdds@low", 0.2, 0, [], "released for 10 %, 30 % and 50 %"),
        ("aum@high+beta", 0.3, 0, [], "'beta' reads label_probability, which .* for 'el2n' and 'dual'"),
        ("dual", 0.3, 0, ["seen=0.5"], "released for seen=0.15 alone"),
        (FAILING, 0.3, 1, [], "lacks 'dyn-unc .window=1./1': A window of 1 epochs has no deviation"),
    ],
)
def test_what_cannot_be_selected_is_refused(
    method: str, fraction: float, seed: int, params: list[str], words: str, released: Released
) -> None:
    with pytest.raises(UsageError, match=words):
        select_from(released.path, method, fraction, seed, params)


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line, with the heavy modules that it has imported on the last line of its errors."""
    program = (
        "import sys\n"
        f"sys.argv = ['coreset-bench', *{arguments!r}]\n"
        "from benchmark.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    print([name for name in ('torch', 'sklearn') if name in sys.modules], file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(CLONE), "CORESET_BENCH_DATA": "nowhere"}
    return subprocess.run([sys.executable, "-c", program], cwd=cwd, env=environment, capture_output=True, text=True)


def test_the_command_needs_no_data_no_store_and_no_torch(released: Released, tmp_path: Path) -> None:
    arguments = ("select", "--from", str(released.path), "--fraction", "0.3", "--seed", "1")
    done = command(*arguments, "--method", "easycore@balanced", "--out", "c.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().splitlines()[-1] == "[]"
    assert (
        "45 of 150 training images (30.0%) by easycore@balanced from the standard proxy (mlp) of suite" in done.stdout
    )
    written = np.load(tmp_path / "c.npz")
    np.testing.assert_array_equal(written["indices"], select_from(released.path, "easycore@balanced", 0.3, 1).indices)
    about = json.loads(str(written["about"]))
    assert (about["suite"], about["method"], about["seed"]) == ("tiny", "easycore@balanced", 1)
    assert about["scores"] == released.release.checksum
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]
    weighted = command(*arguments, "--method", "craig", "--out", "c.csv", cwd=tmp_path)
    assert weighted.returncode == 0, weighted.stderr
    assert (tmp_path / "c.csv").read_text().startswith("index,weight\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--dataset, or a file of released scores with --from"),
        (("--dataset", "digits", "--from", "x.parquet"), "one of the two"),
        (("--from", "x.parquet", "--suite", "digits"), "--suite is for --dataset"),
        (("--from", "x.parquet"), "There is no file x.parquet"),
    ],
)
def test_a_mistake_in_the_options_is_one_sentence(options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = command("select", *options, "--method", "easycore", "--fraction", "0.3", "--out", "c.npz", cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
