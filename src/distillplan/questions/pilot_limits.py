"""What a pilot may take, and how sure it has to be; the help of the command says it too."""

SHARE = 0.05
"""The part of the budget that a pilot may take unless told otherwise."""
RISK = 0.1
"""The chance of the wrong side at which one may choose, unless told otherwise."""
MOST_SHARE = 0.5
"""Beyond half of the budget it is no pilot."""
MOST_RISK = 0.5
"""Nobody need be wrong more often than by tossing a coin."""
