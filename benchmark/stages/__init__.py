"""What a run computes: proxies traced, coresets selected, models trained, attacked and judged.

`compute` takes each from the store or makes it from those before it; the other modules do the work of one stage.
"""
