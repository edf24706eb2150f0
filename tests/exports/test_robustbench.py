"""RobustBench's layout: its fields and spelling, a model under AutoAttack or nothing, and nothing made up."""

import json

import pytest

from benchmark.exports.names import Names
from benchmark.exports.robustbench import files
from benchmark.records import Record, Sign
from tests.exports.samples import HOSTILE, counted, signed, strong, suite
from tests.factories import declared, record

FIELDS = [  # in the order of model_info/cifar10/Linf/Kang2021Stable.json
    "link",
    "name",
    "authors",
    "additional_data",
    "number_forward_passes",
    "dataset",
    "venue",
    "architecture",
    "eps",
    "clean_acc",
    "reported",
    "autoattack_acc",
    "external",
    "footnote",
    "unreliable",
]


def single(found: Record) -> dict[str, object]:
    (text,) = files(declared([found])).values()
    entry: dict[str, object] = json.loads(text)
    return entry


def test_an_entry_has_their_fields_and_their_spelling() -> None:
    entry = single(strong("easycore", 0.3, "trades", 1))
    assert list(entry) == FIELDS
    assert entry["name"] == "easycore, 30 % of 1,100 training images, TRADES training, replicate 1"
    assert (entry["dataset"], entry["architecture"], entry["eps"]) == ("digits", "mlp", "0.1")
    assert (entry["clean_acc"], entry["autoattack_acc"], entry["external"]) == ("100.0", "60.0", "40.0")
    assert "the first 5 of 10 test images; clean on all of them: 80.0 %." in str(entry["footnote"])


def test_what_records_do_not_say_is_null() -> None:
    entry = single(strong("easycore", 0.3, "standard", 0))
    assert {name for name, value in entry.items() if value is None} == {
        "link",
        "authors",
        "venue",
        "reported",
        "unreliable",
    }


def test_unreliable_says_what_was_found_where_anybody_looked() -> None:
    found = strong("easycore", 0.3, "standard", 0)
    looked = signed(found, **{"square-gain": Sign(found=0, of=5)})
    assert single(looked)["unreliable"] is False
    assert single(looked.model_copy(update={"flags": ("guard",)}))["unreliable"] is True
    assert single(looked.model_copy(update={"flags": ("nonfinite-logits",)}))["unreliable"] is False


def test_external_stands_only_where_it_leaves_less() -> None:
    attacked = {("pgd-20", 0.1): [True] * 10, ("autoattack", 0.1): [True] * 9 + [False]}
    entry = single(record("random", 0.3, "standard", 0, clean=[True] * 10, attacked=attacked, codes=[8] * 10))
    assert "external" not in entry
    assert entry["autoattack_acc"] == "90.0"
    assert entry["footnote"] == "Accuracies on 10 test images."


def test_members_left_out_are_said() -> None:
    found = strong("random", 0.3, "standard", 0)
    assert found.results is not None
    attacks = [v.model_copy(update={"omitted": ("fab-t: <two> classes",)}) for v in found.results.attacks]
    entry = single(found.model_copy(update={"results": found.results.model_copy(update={"attacks": tuple(attacks)})}))
    assert "AutoAttack without fab-t: &lt;two&gt; classes." in str(entry["footnote"])


def test_models_that_met_no_autoattack_have_no_entry() -> None:
    assert files(counted()) == {}
    assert len(files(suite())) == 1


def test_names_and_paths_cannot_break_out() -> None:
    hostile = strong(HOSTILE, 0.3, "standard", 0, dataset="../../etc", model="<i>")
    ((path, text),) = files(declared([hostile.model_copy(update={"cell": f"../{HOSTILE}"})])).items()
    assert path.startswith("etc/Linf/")
    assert path.count("/") == 2
    assert "<script" not in text.replace("<br>", "")
    assert "</script>" not in text
    assert json.loads(text)["architecture"] == "&lt;i&gt;"


@pytest.mark.parametrize("text", ["", "..", "...", "/", "中", ".hidden", "a" * 500])
def test_every_name_is_a_file_name(text: str) -> None:
    name = Names().fresh(text)
    assert 0 < len(name) <= 120
    assert name[0] not in "."
    assert "/" not in name


def test_names_that_a_file_system_confuses_are_numbered() -> None:
    names = Names()
    assert [names.fresh(text) for text in ("a/b", "A_b", "a b", "a_b-2")] == ["a_b", "A_b-2", "a_b-3", "a_b-2-2"]
