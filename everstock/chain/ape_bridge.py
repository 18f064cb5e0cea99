"""Ape on a chain that runs already, as `base:mainnet-fork:foundry`.

`ape-config.yaml` names BASE_RPC_URL as what that network forks. Ape reads it when it first loads its configuration,
so it is set before Ape is asked anything; and Ape is given the address of the fork, lest it start one of its own. It
also gets a folder of its own for a while: in its usual one it would remember this chain's contracts as Base's.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import ape
from ape.api import ProviderAPI

from everstock.chain.anvil import binary
from everstock.chain.devnet import BASE_RPC_URL, Chain

NETWORK: Final = "base:mainnet-fork:foundry"


def environment(chain: Chain, data_folder: str) -> dict[str, str]:
    """This process's environment with what makes any `ape` command run on `chain`, and remember in `data_folder`."""
    path = [str(Path(sys.executable).parent), str(binary().parent), os.environ.get("PATH", "")]
    return {
        **os.environ,
        "PATH": os.pathsep.join(path),
        BASE_RPC_URL: chain.upstream or chain.url,
        "APE_FOUNDRY_HOST": chain.url,
        "APE_DATA_FOLDER": data_folder,
    }


@contextmanager
def connected(chain: Chain) -> Iterator[ProviderAPI]:
    """Ape connected to `chain` in this process, for as long as the context lasts."""
    before = os.environ.copy()
    with TemporaryDirectory(prefix="everstock-ape-") as folder:
        os.environ.update(environment(chain, folder))
        try:
            with ape.networks.parse_network_choice(NETWORK, provider_settings={"host": chain.url}) as provider:
                yield provider
        finally:
            os.environ.clear()
            os.environ.update(before)
