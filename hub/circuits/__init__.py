"""Partners that are not there cost nothing: after some failures no call is made at them until they are back.

- `circuit`    when one opens and closes, and nothing else
- `guarding`   every call at a partner passes one; while it is open the hub looks whether the partner is back
- `sharing`    what the processes of a hub tell each other of theirs
"""

from hub.circuits.circuit import Patience, State
from hub.circuits.guarding import Circuits
from hub.circuits.sharing import CircuitNow, Sharing

__all__ = ["CircuitNow", "Circuits", "Patience", "Sharing", "State"]
