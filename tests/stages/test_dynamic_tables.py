"""Tables of the dynamic track, from known outcomes."""

from benchmark.leaderboard.document import render_markdown, render_summary
from benchmark.records import Record
from benchmark.stats import paired_difference
from benchmark.wording import points
from tests.factories import FRACTIONS, REPLICATES, declared, line_of, lines, robust

ROBUST = {
    "rs2": [[40, 42, 44], [50, 52, 54]],
    "rs2 (cycle=True)": [[41, 42, 46], [50, 53, 53]],
    "acs": [[30, 31, 32], [60, 61, 65]],
}


def board(counts: dict[str, list[list[int]]] = ROBUST, own: list[int] | None = None) -> list[Record]:
    records = [
        robust(right, row, fraction, "standard", replicate, track="dynamic", presentations=round(33_000 * fraction))
        for row, table in counts.items()
        for fraction, line in zip(FRACTIONS, table, strict=True)
        for replicate, right in enumerate(line)
    ]
    for replicate, right in enumerate([45, 47, 46] if own is None else own):
        changes = {"track": "dynamic", "own_budget": True, "presentations": 22_110 + 330 * replicate}
        records.append(robust(right, "infobatch", 1.0, "standard", replicate, **changes))
    for replicate in REPLICATES:
        records.append(robust(70, "full", 1.0, "standard", replicate, presentations=33_000))
    return declared(records, suite_fractions=FRACTIONS)


def test_known_outcomes_give_known_numbers() -> None:
    text = render_markdown(board())
    gain = points(paired_difference([0.60, 0.61, 0.65], [0.50, 0.52, 0.54]))
    assert gain == "+10.0 ± 2.5"
    table = [cells for cells in lines(text) if len(cells) == 6][:9]
    assert table[0] == ["presented", "method", "robust", "− rs2", "clean", "worst class"]
    assert [cells[:4] for cells in table[1:]] == [
        ["10 %", "rs2 (cycle=True)", "43.0 ± 6.6", "+1.0 ± 2.5"],
        ["10 %", "rs2", "42.0 ± 5.0", "–"],
        ["10 %", "acs", "31.0 ± 2.5", "−11.0 ± 2.5"],
        ["30 %", "acs", "62.0 ± 6.6", gain],
        ["30 %", "rs2", "52.0 ± 5.0", "–"],
        ["30 %", "rs2 (cycle=True)", "52.0 ± 4.3", "0.0 ± 2.5"],
        ["68 %", "infobatch", "46.0 ± 2.5", "–"],
        ["*100 %*", "*all 1,100 images*", "*70.0 ± 0.7*", "*–*"],
    ]


def test_the_headline_names_the_best_at_each_share() -> None:
    text = render_markdown(board())
    assert (
        r"At 10 % of the presentations rs2 (cycle=True) is the most robust: 43.0 ± 6.6 %, +1.0 ± 2.5 points to rs2; "
        "not distinguishable: rs2." in text
    )
    assert (
        "At 30 % of the presentations acs is the most robust: 62.0 ± 6.6 %, +10.0 ± 2.5 points to rs2; "
        "every other row is distinguishable from it." in text
    )
    assert "infobatch spends 68 % and reaches 46.0 ± 2.5 %." in text
    for absent in ("rank", "mean over fractions", "proxy, selection"):
        assert absent not in text
    assert "(selection and training randomness)" in text


def test_a_missing_cell_is_said_and_pairs_are_those_that_both_have() -> None:
    records = [r for r in board() if (r.factors.row, r.factors.fraction, r.factors.replicate) != ("acs", 0.3, 2)]
    text = render_markdown(records)
    cells = next(cells for cells in lines(text) if cells[:2] == ["30 %", "acs"])
    assert cells[2:4] == ["60.5 (2/3)", "+9.5"]
    assert "acs: 1 of 6 cells is not in these records (30 %: replicate 2)." in text
    alone = render_markdown([r for r in board() if r.cell != "infobatch-1.0-standard-1"])
    assert "infobatch: 1 of 3 cells is not in these records (100 %: replicate 1)." in alone


def test_without_rs2_there_are_no_differences_and_with_two_replicates_no_intervals() -> None:
    text = render_markdown(board({"acs": ROBUST["acs"]}))
    assert line_of(text, "acs")[:4] == ["10 %", "acs", "31.0 ± 2.5", "–"]
    assert "− rs2:" not in text
    two = declared([r for r in board() if r.factors.replicate < 2], suite_fractions=FRACTIONS)
    few = render_markdown(two)
    assert "±" not in few
    assert "acs is the most robust: 60.5 %, +9.5 points to rs2." in few


def test_every_cell_failed() -> None:
    from tests.factories import record

    records = [record("rs2", 0.1, "standard", i, failure="no memory.", track="dynamic") for i in REPLICATES]
    text = render_markdown(declared(records))
    assert "No cell of this regime ran." in text
    assert "3 of 3 cells failed" in text


def test_a_summary_puts_regimes_side_by_side() -> None:
    both = board() + [
        r.model_copy(update={"factors": r.factors.model_copy(update={"regime": "trades"}), "cell": r.cell + "t"})
        for r in board()
    ]
    text = render_summary(declared(both, suite_fractions=FRACTIONS), "x.md")
    assert line_of(text, "infobatch") == ["own", "infobatch", *["46.0 ± 2.5", "–", "100.0"] * 2]
    assert line_of(text, "acs") == ["10 %", "acs", *["31.0 ± 2.5", "−11.0 ± 2.5", "100.0"] * 2]
