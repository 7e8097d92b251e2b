"""How far a token goes. Pure.

`read` looks at all that its person may see. `write` changes what its person may change: jobs, datasets, models. `full`
also changes people: passwords, tokens, teams, accounts. Who logs in with a password has all of it.
"""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal["read", "write", "full"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each goes further than the one before."""


def reaches(held: str, needed: Scope) -> bool:
    """Whether a token of the scope `held` may do what needs `needed`."""
    return held in SCOPES and SCOPES.index(held) >= SCOPES.index(needed)
