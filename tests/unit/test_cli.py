"""The command line knows its commands before it loads them."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from everstock.cli import COMMANDS, everstock


@pytest.mark.parametrize("name", COMMANDS)
def test_command__loads_and_explains_itself(name):
    context = everstock.make_context("everstock", [name])
    command = everstock.get_command(context, name)
    assert command.name == name
    assert command.help


def test_help__names_every_command():
    result = CliRunner().invoke(everstock, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


def test_unknown_command__is_refused():
    result = CliRunner().invoke(everstock, ["fly"])
    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


def test_help__loads_nothing_heavy():
    program = "import sys; from everstock.cli import everstock; assert not {'web3', 'ape', 'boa'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
