# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy off
"""
@title Timelock
@license AGPL-3.0-only
@notice Whatever needs the timelock's word is proposed here, can be seen by everybody for a minimum delay, and is then
        executed: snekmate's timelock controller as it stands. Its own delay and roles change only through itself.
@dev No lock: an operation may call back into this contract, which guards itself by the order of its checks.
"""

from snekmate.auth import access_control
from snekmate.governance import timelock_controller

initializes: access_control
initializes: timelock_controller[access_control := access_control]

exports: timelock_controller.__interface__


@deploy
def __init__(minimum_delay: uint256, proposers: DynArray[address, 16], executors: DynArray[address, 16]):
    """
    @param minimum_delay Seconds from a proposal to its execution.
    @param proposers Who proposes and cancels; executors who executes, the empty address for anyone.
    """
    access_control.__init__()
    timelock_controller.__init__(minimum_delay, proposers, executors, empty(address))
