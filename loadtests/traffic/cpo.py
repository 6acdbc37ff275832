"""What CPOs say."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from loadtests.simulator import Json
from loadtests.simulator.messages import now, stamp
from loadtests.simulator.stations import cdr, session
from loadtests.traffic.cast import Charging, Part
from loadtests.traffic.users import OcpiUser
from routing.vocabulary import InterfaceRole, ModuleID, Role, Version

_AT_ONCE = 3
"""Sessions of one CPO under way at least: more of them where a CPO talks so much that none of these is due."""
_STATUSES = ("AVAILABLE", "CHARGING", "BLOCKED", "OUTOFORDER")
_KWH_A_PATCH = 2.5


class CpoUser(OcpiUser):
    """Stations that change, sessions from their PUT to their CDR, and cards that want to charge."""

    abstract = True
    role = Role.CPO

    def do(self, action: str) -> bool:
        """See `OcpiUser.do`."""
        peer = self.stage.cast.friend(self.part, self.dice)
        if peer is None:
            return False
        match action:
            case "evse_status":
                self._evse_status(self._audience(peer))
            case "location":
                self._location(self._audience(peer), self.dice.choice(self.part.locations))
            case "tariff":
                self._tariff(self._audience(peer))
            case "session":
                self._session(peer)
            case "authorize":
                self._authorize(peer)
            case _:
                raise ValueError(f"a CPO does not do {action!r}")
        return True

    def _audience(self, peer: Part) -> Part | None:
        """Who gets to know of stations: in 2.1.1, which cannot say it, everybody."""
        return None if self.version is Version.V2_1_1 else peer

    def _push(self, method: str, module: str, path: str, body: Any, to: Part | None) -> bool:  # noqa: ANN401 - any JSON
        return self.send(method, module, path, body, to=to, interface=InterfaceRole.RECEIVER) is not None

    def _path(self, *segments: str) -> str:
        return "/".join(("", *self.part.party, *segments))

    def _evse_status(self, to: Part | None) -> None:
        where = self.dice.choice(self.part.locations)
        if not self._is_shown(where, to):
            self._location(to, where)
            return
        evse = self.dice.choice(where["evses"])
        change = {"status": self.dice.choice(_STATUSES), "last_updated": now()}
        self._push("PATCH", ModuleID.LOCATIONS, self._path(where["id"], evse["uid"]), change, to)

    def _is_shown(self, where: Json, to: Part | None) -> bool:
        return (None if to is None else to.party, where["id"]) in self.part.shown

    def _location(self, to: Part | None, where: Json) -> None:
        if self._push("PUT", ModuleID.LOCATIONS, self._path(where["id"]), where | {"last_updated": now()}, to):
            self.part.shown[None if to is None else to.party, where["id"]] = time.monotonic()

    def _tariff(self, to: Part | None) -> None:
        price = self.dice.choice(self.part.tariffs)
        self._push("PUT", ModuleID.TARIFFS, self._path(price["id"]), price | {"last_updated": now()}, to)

    def _authorize(self, peer: Part) -> None:
        card, where = self.dice.choice(peer.cards), self.dice.choice(self.part.locations)
        self.send(
            "POST",
            ModuleID.TOKENS,
            f"/{card['uid']}/authorize?type=RFID",
            {"location_id": where["id"], "evse_uids": [where["evses"][0]["uid"]]},
            to=peer,
            interface=InterfaceRole.SENDER,
            action="authorize",
        )

    # --- a session is put, changes some times, and becomes a CDR

    def _session(self, peer: Part) -> None:
        """The next message of one of the sessions; none is talked about twice at the same time."""
        sessions = self.part.sessions
        due = [] if len(sessions) < _AT_ONCE else [each for each in sessions if each.due <= time.monotonic()]
        charging = self.dice.choice(due) if due else self._begun(peer)
        if due:
            sessions.remove(charging)
        if not charging.is_put:
            charging.is_put = goes_on = self._put_session(charging)
        elif charging.patches < self.stage.session_patches:
            self._patch_session(charging)
            goes_on = True
        else:
            self._post_cdr(charging)
            goes_on = False
        if goes_on:
            charging.due = time.monotonic() + self.stage.pause_s
            sessions.append(charging)

    def _begun(self, peer: Part) -> Charging:
        part, where = self.part, self.dice.choice(self.part.locations)
        card = as_known(self.dice.choice(peer.cards), peer, part.version)
        session_id = f"{part.party.country_code}{part.party.party_id}-{self.stage.run}-{next(part.numbers)}"
        return Charging(session(part.version, session_id, where, card), peer, card, where)

    def _put_session(self, charging: Charging) -> bool:
        return self._push("PUT", ModuleID.SESSIONS, self._path(charging.session["id"]), charging.session, charging.peer)

    def _patch_session(self, charging: Charging) -> None:
        charging.patches += 1
        change: Json = {"kwh": charging.patches * _KWH_A_PATCH, "last_updated": now()}
        if charging.patches == self.stage.session_patches:
            ended = "end_datetime" if self.version is Version.V2_1_1 else "end_date_time"
            change |= {"status": "COMPLETED", ended: stamp(datetime.now(UTC))}
        self._push("PATCH", ModuleID.SESSIONS, self._path(charging.session["id"]), change, charging.peer)

    def _post_cdr(self, charging: Charging) -> None:
        kwh = charging.patches * _KWH_A_PATCH
        record = cdr(self.version, charging.session["id"], charging.where, charging.card, self.part.tariffs[0], kwh=kwh)
        self._push("POST", ModuleID.CDRS, "", record, charging.peer)


def as_known(card: Json, owner: Part, version: Version) -> Json:
    """A card as a partner of this version knows it."""
    contract = card.get("contract_id") or card["auth_id"]
    if version is Version.V2_1_1:
        return {"uid": card["uid"], "auth_id": contract}
    country_code, party_id = owner.party
    return {
        "country_code": country_code,
        "party_id": party_id,
        "uid": card["uid"],
        "type": card["type"],
        "contract_id": contract,
    }


class Cpo211(CpoUser):
    """On 2.1.1."""

    version = Version.V2_1_1


class Cpo221(CpoUser):
    """On 2.2.1."""

    version = Version.V2_2_1


class Cpo230(CpoUser):
    """On 2.3.0."""

    version = Version.V2_3_0
