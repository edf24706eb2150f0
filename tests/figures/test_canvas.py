"""The look and the bytes of figures."""

import xml.etree.ElementTree as ElementTree

import pytest

from benchmark.figures import canvas
from benchmark.figures.canvas import Drawing, Table
from benchmark.figures.emphasis import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from tests.figures.drawn import HOSTILE


def drawing(title: str = "a title", note: str = "a note") -> Drawing:
    with canvas.style():
        figure, ((axes,),) = canvas.sheet(title, note, (1, 1), (2, 2))
        axes.plot([1, 2], [3, 4])
        axes.set_xlabel(title)
        return Drawing("name", title, figure, Table(("a",), ((1,),)))


def test_two_drawings_of_one_thing_are_the_same_bytes() -> None:
    first, second = drawing(), drawing()
    assert (first.svg(), first.png()) == (second.svg(), second.png())
    assert first.svg() == first.svg()  # drawing it once leaves no trace for the second time
    assert drawing("another").svg() != first.svg()


def test_no_file_says_when_or_by_what_it_was_made() -> None:
    import matplotlib

    made = drawing()
    for data in (made.svg(), made.png()):
        assert matplotlib.__version__.encode() not in data
        assert b"<dc:date" not in data
        assert b"Software" not in data


def test_hostile_text_is_text(recwarn: pytest.WarningsRecorder) -> None:
    svg = drawing(HOSTILE, HOSTILE).svg()
    root = ElementTree.fromstring(svg)
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert b"<script" not in svg
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_a_dollar_sets_no_mathematics() -> None:
    """An unbalanced formula would raise where it was read as one."""
    drawing(r"$\frac{1}{$ costs 5 $").svg()


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    drawing().svg()
    assert dict(matplotlib.rcParams) == before


def test_a_table_writes_what_a_spreadsheet_reads_and_never_runs() -> None:
    rows = (("=1+1", 0.1 + 0.2, 3), ("a,b\nc", None, float("nan")), ("x", -0.5, 1e-12))
    text = Table(("name", "x", "n"), rows).csv().decode()
    assert text.splitlines() == ["name,x,n", "'=1+1,0.3,3", '"a,b c",,', "x,-0.5,1e-12"]


@pytest.mark.parametrize("color", [BLACK, BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, canvas.GREY])
def test_words_stand_out_from_white(color: str) -> None:
    from matplotlib.colors import to_rgb

    def luminance(rgb: tuple[float, float, float]) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    assert 1.05 / (luminance(to_rgb(canvas.ink_of_text(color))) + 0.05) >= 4.5


def test_a_note_is_broken_into_lines_that_fit() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    made = drawing(note="a rather long sentence about data and networks, " * 6)
    renderer = FigureCanvasAgg(made.figure).get_renderer()
    with canvas.style():
        widths = [text.get_window_extent(renderer).x1 for text in made.figure.texts[1:]]
    assert max(widths) <= made.figure.bbox.width


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (4, (2, 3)), (7, (3, 3))])
def test_panels_are_laid_out_in_rows_of_three(count: int, shape: tuple[int, int]) -> None:
    assert canvas.columns_of(count) == shape
