"""Line and branch coverage of the production contracts, by the tests that run in process. `make coverage`.

What the contracts execute is read from the virtual machine, and every instruction is traced back to the source by the
compiler itself; titanoboa's own measurement marks all lines of an `if` that was merely looked at.

- `source`      what there is to be covered: the lines and branches of a source file
- `annotation`  tells the compiler to say of every instruction which statement it belongs to and what it decides
- `maps`        a compiled contract as statements and outcomes of branches by program counter
- `recorder`    what of every contract was executed, in one process
- `plugin`      records while pytest runs
- `results`     recordings and maps together: what was covered, and through which contract
- `reasons`     why an outcome of a branch may remain unreached, kept by hand in reasons.toml
- `report`      the result as Markdown and for a terminal
- `command`     `python -m tests.coverage`, which writes docs/COVERAGE.md
"""
