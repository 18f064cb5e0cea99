# pragma version 0.4.3
# pragma optimize codesize
"""
@title Multicall3
@custom:contract-name Multicall3
@license AGPL-3.0-only
@notice Many calls in one, with the ABI and the errors of https://www.multicall3.com.
@dev Narrower than the real one: at most `MAX_CALLS` calls, `CALL_SIZE` bytes of calldata and `RETURN_SIZE` bytes of
     returned data each. Longer calldata reverts, longer returned data is cut.
"""

struct Call:
    target: address
    callData: Bytes[CALL_SIZE]

struct Call3:
    target: address
    allowFailure: bool
    callData: Bytes[CALL_SIZE]

struct Call3Value:
    target: address
    allowFailure: bool
    value: uint256
    callData: Bytes[CALL_SIZE]

struct Result:
    success: bool
    returnData: Bytes[RETURN_SIZE]


MAX_CALLS: constant(uint256) = 100
CALL_SIZE: constant(uint256) = 1_024
RETURN_SIZE: constant(uint256) = 2_048


@external
@payable
def aggregate(calls: DynArray[Call, MAX_CALLS]) -> (uint256, DynArray[Bytes[RETURN_SIZE], MAX_CALLS]):
    """
    @notice Make every call; one that fails reverts all.
    @return The block number, and what each call returned.
    """
    returned: DynArray[Bytes[RETURN_SIZE], MAX_CALLS] = []
    for c: Call in calls:
        result: Result = self._call(c.target, c.callData, 0)
        assert result.success, "Multicall3: call failed"
        returned.append(result.returnData)
    return block.number, returned


@external
@payable
def tryAggregate(requireSuccess: bool, calls: DynArray[Call, MAX_CALLS]) -> DynArray[Result, MAX_CALLS]:
    """
    @notice Make every call; one that fails reverts all only if `requireSuccess`.
    @return Success and returned data of each.
    """
    return self._try(requireSuccess, calls)


@external
@payable
def tryBlockAndAggregate(
    requireSuccess: bool, calls: DynArray[Call, MAX_CALLS]
) -> (uint256, bytes32, DynArray[Result, MAX_CALLS]):
    """
    @notice As `tryAggregate`, with the block number and (as the real one does) the hash of the running block: 0.
    """
    return block.number, empty(bytes32), self._try(requireSuccess, calls)


@external
@payable
def blockAndAggregate(
    calls: DynArray[Call, MAX_CALLS]
) -> (uint256, bytes32, DynArray[Result, MAX_CALLS]):
    """
    @notice As `tryBlockAndAggregate` with success required.
    """
    return block.number, empty(bytes32), self._try(True, calls)


@external
@payable
def aggregate3(calls: DynArray[Call3, MAX_CALLS]) -> DynArray[Result, MAX_CALLS]:
    """
    @notice Make every call; one that fails reverts all unless its `allowFailure` is set.
    @return Success and returned data of each.
    """
    results: DynArray[Result, MAX_CALLS] = []
    for c: Call3 in calls:
        result: Result = self._call(c.target, c.callData, 0)
        assert result.success or c.allowFailure, "Multicall3: call failed"
        results.append(result)
    return results


@external
@payable
def aggregate3Value(calls: DynArray[Call3Value, MAX_CALLS]) -> DynArray[Result, MAX_CALLS]:
    """
    @notice As `aggregate3`, each call with its own value; the values must add up to what was sent.
    @return Success and returned data of each.
    """
    total: uint256 = 0
    results: DynArray[Result, MAX_CALLS] = []
    for c: Call3Value in calls:
        total += c.value
        result: Result = self._call(c.target, c.callData, c.value)
        assert result.success or c.allowFailure, "Multicall3: call failed"
        results.append(result)
    assert msg.value == total, "Multicall3: value mismatch"
    return results


# Facts of the running block


@external
@view
def getBlockHash(blockNumber: uint256) -> bytes32:
    """
    @return The hash of a recent block; 0 for any other.
    """
    if blockNumber >= block.number or blockNumber + 256 < block.number:
        return empty(bytes32)
    return blockhash(blockNumber)


@external
@view
def getLastBlockHash() -> bytes32:
    """
    @return The hash of the block before.
    """
    return blockhash(block.number - 1)


@external
@view
def getBlockNumber() -> uint256:
    """
    @return This block's number.
    """
    return block.number


@external
@view
def getCurrentBlockCoinbase() -> address:
    """
    @return This block's fee recipient.
    """
    return block.coinbase


@external
@view
def getCurrentBlockDifficulty() -> uint256:
    """
    @return This block's prevrandao.
    """
    return convert(block.prevrandao, uint256)


@external
@view
def getCurrentBlockGasLimit() -> uint256:
    """
    @return This block's gas limit.
    """
    return block.gaslimit


@external
@view
def getCurrentBlockTimestamp() -> uint256:
    """
    @return This block's Unix time in seconds.
    """
    return block.timestamp


@external
@view
def getEthBalance(addr: address) -> uint256:
    """
    @return The wei that `addr` holds.
    """
    return addr.balance


@external
@view
def getBasefee() -> uint256:
    """
    @return This block's base fee in wei per gas.
    """
    return block.basefee


@external
@view
def getChainId() -> uint256:
    """
    @return The chain id.
    """
    return chain.id


@internal
@payable
def _try(require_success: bool, calls: DynArray[Call, MAX_CALLS]) -> DynArray[Result, MAX_CALLS]:
    results: DynArray[Result, MAX_CALLS] = []
    for c: Call in calls:
        result: Result = self._call(c.target, c.callData, 0)
        assert result.success or not require_success, "Multicall3: call failed"
        results.append(result)
    return results


@internal
@payable
def _call(target: address, data: Bytes[CALL_SIZE], amount: uint256) -> Result:
    success: bool = False
    returned: Bytes[RETURN_SIZE] = b""
    success, returned = raw_call(
        target, data, max_outsize=RETURN_SIZE, value=amount, revert_on_failure=False
    )
    return Result(success=success, returnData=returned)
