"""Runs one machine on the sources it stands in until it fails; prints what the failure said as JSON."""

import json
import sys
import time
import traceback

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import get_state_machine_test

from tests.stateful import machine
from tests.stateful.deep import Chunk, factory


def main(name: str, patience: float) -> None:
    """`patience` is in seconds of this process, however many others there are."""
    runs = settings(
        max_examples=4,
        stateful_step_count=60,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    said, number = "", 0
    while not said and time.process_time() < patience:
        test = seed(number)(get_state_machine_test(factory(Chunk(name, (18, 6)[number % 2], number)), settings=runs))
        number += 1
        try:
            test()
        except AssertionError as error:
            # A bare assertion says what it asserted.
            said = str(error) or traceback.extract_tb(error.__traceback__)[-1].line or type(error).__name__
    print(json.dumps({"said": said, "steps": machine.TALLY.steps}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
