"""Records while pytest runs: `pytest -p tests.coverage.plugin --contract-coverage DIRECTORY`, in every worker of xdist.

What random examples reach differs from run to run, and the figures are compared in review: so examples are drawn the same
way every time.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from boa import interpret

from tests.coverage.recorder import Recorder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where recordings go."""
    parser.addoption("--contract-coverage", type=Path, help="record what contracts execute into this directory")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start before any test is imported: what it says about its examples builds on the profile that is loaded then."""
    hypothesis.settings.register_profile("coverage", derandomize=True, deadline=None)
    hypothesis.settings.load_profile("coverage")
    if directory := config.getoption("--contract-coverage"):
        # Titanoboa's own holds what was compiled of the same functions with other comments: its constructors end differently.
        interpret.set_cache_dir(directory / "compiled")
        config.pluginmanager.register(_Recording(directory), "contract-coverage")


class _Recording:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.recorder = Recorder()
        self.stack = ExitStack()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.stack.enter_context(self.recorder.recording())

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        yield
        self.stack.close()
        # Where there are workers, the process that started them runs no contract.
        if found := self.recorder.found():
            worker = getattr(session.config, "workerinput", {}).get("workerid", "main")
            (self.directory / f"{worker}.json").write_text(json.dumps(found))
