"""What CONTRIBUTING.md shows is what works."""

import importlib
import re
import sys
from pathlib import Path

import pytest

import methods.signals
from methods import registry
from methods.contract import run_contract

PAGE = (Path(__file__).resolve().parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
READER = '''
@score("by-entropy", needs="entropy", keep="high", direction="hard", paper="none")
def by_entropy(signals):
    """Highest entropy after the last epoch."""
    return signals.entropy[-1]
'''


def test_the_method_and_the_signal_on_the_page_keep_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods.signals.signal_names()
    registry.method_names()
    for module, name in ((registry, "_methods"), (registry, "_sources"), (methods.signals, "_signals")):
        monkeypatch.setattr(module, name, dict(getattr(module, name)))
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    (tmp_path / "from_the_page.py").write_text("\n".join([*examples, READER]))
    monkeypatch.syspath_prepend(tmp_path)
    try:
        page = importlib.import_module("from_the_page")
        for method in (page.mine, page.by_entropy):
            assert not [f"{o.name}: {o.message}" for o in run_contract(method) if not o.ok]
    finally:
        sys.modules.pop("from_the_page", None)
