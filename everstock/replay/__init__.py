"""Past prices of BTC and ETH, from wherever they can be had, as ticks that a chain's feeds can follow; and replays of them.

Where to look:

- `bars`      open, high, low and close over time: checked, cut, joined, resampled
- `ticks`     bars as a path, and the path as the few prices that matter
- `episodes`  the crashes (and one calm) that have a name
- `daily`     published daily figures, and a seeded bridge between them
- `exchange`  bars from a public exchange, fetched once and kept
- `sources`   which of these a replay takes its prices from

Prices against the contracts, in process (`everstock replay`):

- `books`     who holds what when a replay begins
- `opening`   a fresh market: pools filled, series listed, a book opened
- `market`    that market over time, and a keeper that looks after it
- `watch`     which ticks are worth a look
- `run`       a replay from its first tick to its last
- `outcome`   what came of it, and whether it adds up
- `charts`, `pages`  the picture of it, the report, docs/REPLAYS.md
- `command`   `everstock replay`
- `risks`     `everstock risks`: single jumps, and the tables of docs/RISKS.md
"""
