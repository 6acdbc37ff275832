"""What the hub calls: one HTTP exchange at a time, through one gate.

- `urls`        which URLs of partners are acceptable, and how they are joined
- `addresses`   the gate: which network addresses may be dialled, asked again at every dial
- `client`      `PartnerClient`, the only way out; one call reads from top to bottom there
- `bulkhead`    how many calls at one platform may be under way
- `lane`        what is open at one platform
- `dialing`     a new connection
- `connection`  one exchange after the other on it
- `deadlines`   when each must be over
- `answers`     reading HTTP, strictly
- `inflation`   compressed answers
"""
