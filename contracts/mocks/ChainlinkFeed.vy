# pragma version 0.4.3
# pragma optimize codesize
"""
@title ChainlinkFeed
@custom:contract-name ChainlinkFeed
@license AGPL-3.0-only
@notice A Chainlink price feed, or an L2 sequencer uptime feed, whose rounds a local operator publishes.
@dev Answers as the proxies on Base do (EACAggregatorProxy in front of an OCR aggregator): a round id is
     phase << 64 | round, a missing round reverts with "No data present". The uptime feed is the same shape with
     0 decimals: answer 0 = up, 1 = down, startedAt = when that began. Its one plain storage slot, slot 0, is 0 at
     the start, so that its code can be put in the place of another contract once that slot is cleared.
"""

struct Round:
    answer: int256
    started_at: uint256
    updated_at: uint256


PHASE: constant(uint256) = 1
VERSION: constant(uint256) = 4

# The only address that may publish a round.
OPERATOR: public(immutable(address))
# Decimals of an answer: 8 for prices in USD, 0 for the uptime feed.
decimals: public(immutable(uint8))
description: public(immutable(String[64]))


# Rounds published so far; the latest has this number. Slot 0.
round_count: uint256
# Every round published, by its number from 1 on.
rounds: HashMap[uint256, Round]


event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256


@deploy
def __init__(operator: address, decimals_: uint8, description_: String[64]):
    """
    @param operator Who may publish.
    @param decimals_ Decimals of an answer.
    @param description_ For example "BTC / USD".
    """
    OPERATOR = operator
    decimals = decimals_
    description = description_


@external
def publish(answer: int256, startedAt: uint256, updatedAt: uint256) -> uint80:
    """
    @notice Publish the next round. Any answer and any times are taken, wrong ones too: consumers must cope.
    @param answer The price, in `decimals`; or 0 for up, 1 for down.
    @param startedAt Unix seconds.
    @param updatedAt Unix seconds; 0 makes an incomplete round.
    @return The new round's id.
    """
    assert msg.sender == OPERATOR, "chainlink_feed: operator only"
    number: uint256 = self.round_count + 1
    self.round_count = number
    self.rounds[number] = Round(answer=answer, started_at=startedAt, updated_at=updatedAt)
    log AnswerUpdated(current=answer, roundId=number, updatedAt=updatedAt)
    return self._id(number)


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @return roundId, answer, startedAt, updatedAt, answeredInRound of the latest round.
    """
    return self._round(self.round_count)


@external
@view
def getRoundData(roundId: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """
    @return roundId, answer, startedAt, updatedAt, answeredInRound of that round.
    """
    assert convert(roundId, uint256) >> 64 == PHASE, "No data present"
    return self._round(convert(roundId, uint256) & convert(max_value(uint64), uint256))


@external
@pure
def phaseId() -> uint16:
    """
    @return The aggregator's number behind the proxy.
    """
    return convert(PHASE, uint16)


@external
@pure
def version() -> uint256:
    """
    @return The interface version of the aggregator.
    """
    return VERSION


@internal
@view
def _round(number: uint256) -> (uint80, int256, uint256, uint256, uint80):
    assert number != 0 and number <= self.round_count, "No data present"
    data: Round = self.rounds[number]
    return self._id(number), data.answer, data.started_at, data.updated_at, self._id(number)


@internal
@pure
def _id(number: uint256) -> uint80:
    return convert((PHASE << 64) | number, uint80)
