"""The page: every published result in one HTML file that opens from disk, with no network and no build step.

`boards` are the leaderboards, `cells` the records behind them, `cards` the methods, `document` all of it as one JSON
document, which `build` sets into the template with the style sheet and the script beside it. The script sorts, filters
and shows; each number on the page was estimated and spelled by the functions that spell the Markdown leaderboards.
Nothing here reads a clock or a machine.
"""
