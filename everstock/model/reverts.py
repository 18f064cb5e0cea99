"""How the model refuses: with the very words of the contracts."""


class Revert(Exception):
    """An action that a contract would revert. `reason` is the contract's own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require(holds: bool, reason: str) -> None:
    """Raise `Revert(reason)` unless `holds`."""
    if not holds:
        raise Revert(reason)
