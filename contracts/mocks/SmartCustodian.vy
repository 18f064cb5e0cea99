# pragma version 0.4.3
"""
@title A custodian that is a contract
@license AGPL-3.0-only
@notice Answers ERC-1271 for digests it was told to approve, as a Safe does, and can be told to answer badly, or to call
        somebody while it is asked.
"""

_MAGIC: constant(bytes4) = 0x1626BA7E  # ERC-1271: isValidSignature(bytes32,bytes)

# The digests this custodian approves of.
_approved: HashMap[bytes32, bool]

# Whom to call while being asked for a signature; nobody if zero.
_target: address

# With which calldata.
_data: Bytes[1_024]

# Whether to revert instead of answering.
_reverting: bool


@external
def approve_digest(digest: bytes32):
    self._approved[digest] = True


@external
def call_when_asked(target: address, data: Bytes[1_024]):
    self._target = target
    self._data = data


@external
def revert_when_asked():
    self._reverting = True


@external
def execute(target: address, data: Bytes[1_024]):
    raw_call(target, data)


@external
def isValidSignature(digest: bytes32, signature: Bytes[65]) -> bytes4:
    assert not self._reverting, "smart_custodian: told to revert"
    if self._target != empty(address):
        # Whether the call gets through is for the test to see; the answer is the same.
        success: bool = raw_call(self._target, self._data, revert_on_failure=False)
    return _MAGIC if self._approved[digest] else 0xFFFFFFFF
