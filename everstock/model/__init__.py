"""The executable specification: one market in plain Python integers, function for function with the contracts.

Every number is the contracts' to the unit, every refusal has their words; nothing here knows a chain. Modules have the
names of the contracts and of their modules. Tests mirror the contracts in it, the keeper and the documents quote it.

    market             a whole market; start here
    clearing_house     accounts, ledgers: who has what          risk_book, market_book, positions   what it is worth
    cash_ledger        the few ways money moves                 series_book      gain indexes and units
    pool_shares        both pools                               everlasting      mark, slope, premium
    order_desk         requests and their execution             portfolio_margin the scenario test
    series_listing     what may be listed                       pool_risk        the pool's own
    price_oracle       prices and their guards                  checkpoints      when one is due
    parameters         what an owner may change                 trade_costs      fee and impact

`float_price` is a vectorised twin of the price alone, for the keeper and charts.
"""
