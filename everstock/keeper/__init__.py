"""The keeper: one process that does for all markets what anyone may do and someone must.

It brings prices, triggers and executes orders, voids those that were missed, fulfils requests of liquidity providers,
checkpoints, liquidates, samples volatility, and resolves and finalizes a settlement. Nothing depends on which keeper does
it, nor on there being only one.

Where to look:

- `state`      what is known at one block
- `decide`     what to do about it: a pure function
- `actions`    what can be done
- `watch`      orders, accounts, series and their notices, from events
- `read`       markets and healths at the newest prices, from one simulated call
- `hermes`     signed prices
- `plan`       from actions to calls of contracts
- `act`        simulating and sending transactions, and what became of them
- `failures`   what did not work is left alone for a while
- `rpc`, `abi`, `multicall`   talking to a node
- `board`      metrics and a page of status
- `run`        the loop
- `command`    `everstock keeper`
"""
