"""Past prices of BTC and ETH, from wherever they can be had, as ticks that a chain's feeds can follow.

Where to look:

- `bars`      open, high, low and close over time: checked, cut, joined, resampled
- `ticks`     bars as a path, and the path as the few prices that matter
- `episodes`  the crashes (and one calm) that have a name
- `daily`     published daily figures, and a seeded bridge between them
- `exchange`  bars from a public exchange, fetched once and kept
- `sources`   which of these a replay takes its prices from
"""
