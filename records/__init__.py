"""The yard's shared language and memory.

Language (standard library and pydantic only, so `ml` may import it): `errors`, `states`, `specs`, `events`,
`orders`, `catalogue`, `intake`. Memory (SQL, broker, stored bytes): everything else. No other package touches those
three.
"""
