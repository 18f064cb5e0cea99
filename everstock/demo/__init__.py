"""`everstock demo`: two markets, their LPs, forty-odd traders and a keeper live through days of real prices.

Before the replay:

- `command`     the command line
- `cast`        who takes part: kinds of traders, their margin and temper, LPs; seeded
- `stage`       chain, deployment, tokens, pools, margin: all that must be there before the first price

During it:

- `play`        the replay, tick by tick
- `traders`     what each trader does about it; knows no chain
- `options`     marks and margins as a trader would reckon them, in floats
- `strikes`     which series to list as an index moves
- `driver`      blocks mined by hand, in step with the keeper
- `keeper_process`  the keeper, a process of its own
- `reader`      the state of the markets, in one call
- `live`        the live view, or a plain log

After it:

- `chronicle`   every event, in order
- `history`     the markets tick by tick
- `statement`   the main pool's income, exact, from events; premium among it
- `summary`     summary.json, and whether all of it adds up
- `charts`, `report`  pictures, and a page for people
"""
