"""The discrepancy ledger: what public implementations do otherwise than the definitions, and what that changes.

    entries ──► constructed ──► lines (docs/discrepancies.jsonl) ──► page (docs/discrepancies.md)
            └─► measured ────────┘

`entries` says what each fault is and where it was read, `constructed` shows it on a set made for it, `measured`
trains on what the faulty and the right method pick from digits, and `page` sets the numbers in type. The page is a
function of entries and lines, so that it can be written again, and checked, at any time.
"""
