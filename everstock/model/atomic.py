"""All or nothing, as on a chain: an action that reverts has changed nothing."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

from everstock.model.reverts import Revert


@contextmanager
def undone_on_revert(thing: Any) -> Iterator[None]:
    """Put `thing`, a dataclass, and all that it holds back as they were if a `Revert` comes out of the block."""
    saved = _copied(thing, {})
    try:
        yield
    except Revert:
        _restore(thing, saved, set())
        raise


def _is_state(value: Any) -> bool:
    """Whether a value is a dataclass whose fields can change."""
    return is_dataclass(value) and not value.__dataclass_params__.frozen


def _copied(value: Any, known: dict[int, Any]) -> Any:
    """A copy that shares nothing that can change; what is held twice is copied once."""
    if id(value) in known:
        return known[id(value)]
    if _is_state(value):
        copy = known[id(value)] = object.__new__(type(value))
        for item in fields(value):
            setattr(copy, item.name, _copied(getattr(value, item.name), known))
        return copy
    if isinstance(value, defaultdict):
        return defaultdict(value.default_factory, {key: _copied(item, known) for key, item in value.items()})
    if isinstance(value, dict):
        return {key: _copied(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item, known) for item in value]
    if isinstance(value, set):
        return set(value)
    return value


def _restore(thing: Any, saved: Any, done: set[int]) -> None:
    """Give every field of `thing` its saved value; what else refers to `thing` or to a part of it still does."""
    if id(thing) in done:
        return
    done.add(id(thing))
    for item in fields(thing):
        value, old = getattr(thing, item.name), getattr(saved, item.name)
        if _is_state(value):
            _restore(value, old, done)
        else:
            setattr(thing, item.name, old)
