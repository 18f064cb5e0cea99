"""A contract with every way to branch, recorded alone."""

from pathlib import Path
from typing import Any

import boa
import pytest
from boa import interpret
from boa.contracts.vyper.vyper_contract import VyperDeployer

from tests.coverage.recorder import Recorder
from tests.coverage.results import Coverage, Programs, measure, trace
from tests.coverage.source import compiled

HERE = Path(__file__).parent


class Sample:
    """The contract as deployed with 5 for its limit, and what calls of it covered."""

    def __init__(self, folder: Path, data: Any, programs: Programs) -> None:
        self.folder = folder
        self.programs = programs
        self.recorder = Recorder(folder)
        with self.recorder.recording():
            self.contract = VyperDeployer(data).deploy(5)

    def call(self, function: str, *arguments: object, reverts: bool = False) -> None:
        """Call a function, and see that it reverts or not."""
        with self.recorder.recording():
            if reverts:
                with boa.reverts():
                    getattr(self.contract, function)(*arguments)
            else:
                getattr(self.contract, function)(*arguments)

    def coverage(self) -> Coverage:
        """What is covered so far."""
        return measure(self.programs, [self.recorder.found()])

    def run(self, function: str) -> list[str]:
        """The lines of a function that ran."""
        return self._lines(function, True)

    def not_run(self, function: str) -> list[str]:
        """The lines of a function that did not run."""
        return self._lines(function, False)

    def seen(self, function: str) -> set[str]:
        """The outcomes that were seen in a function: `line -> outcome`."""
        coverage = self.coverage()
        return {
            f"{source.line(outcome.branch.place)} -> {source.words(outcome)}"
            for source in coverage.sources
            for outcome in coverage.outcomes_of(source)
            if source.branches[outcome.branch] == function and coverage.outcomes[outcome]
        }

    def _lines(self, function: str, ran: bool) -> list[str]:
        coverage = self.coverage()
        return [
            source.line(place)
            for source in coverage.sources
            for place, statement in source.statements.items()
            if statement.function == function and bool(coverage.statements[place]) == ran
        ]


@pytest.fixture(scope="session")
def compiled_sample(request, tmp_path_factory):
    """Optimized for size, as the contracts are, unless a test asks for something else."""
    optimization = getattr(request, "param", "codesize")
    folder = tmp_path_factory.mktemp(optimization)
    text = (HERE / "Sample.vy").read_text()
    (folder / "Sample.vy").write_text(f"# pragma optimize {optimization}\n{text}")
    (folder / "sample_module.vy").write_text((HERE / "sample_module.vy").read_text())
    data = compiled(folder / "Sample.vy")
    data.source_map = interpret._compute_source_map(data)
    files = [folder / "Sample.vy", folder / "sample_module.vy"]
    return folder, data, trace(files, files[:1])


@pytest.fixture
def sample(compiled_sample):
    return Sample(*compiled_sample)
