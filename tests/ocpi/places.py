"""Places for random objects: country, city, currency, language and position that fit together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """A town with a charging station; `vat` is in percent."""

    alpha2: str
    alpha3: str
    city: str
    state: str
    postal_code: str
    streets: tuple[str, ...]
    time_zone: str
    latitude: float
    longitude: float
    currency: str
    language: str
    vat: float


PLACES: Final = (
    Place(
        "NL",
        "NLD",
        "Zwolle",
        "Overijssel",
        "8011 CW",
        ("Veemarkt", "Lubeckplein"),
        "Europe/Amsterdam",
        52.51,
        6.09,
        "EUR",
        "nl",
        21,
    ),
    Place(
        "DE",
        "DEU",
        "Göttingen",
        "Niedersachsen",
        "37073",
        ("Weender Straße", "Groner Tor"),
        "Europe/Berlin",
        51.53,
        9.93,
        "EUR",
        "de",
        19,
    ),
    Place(
        "BE",
        "BEL",
        "Namur",
        "Namur",
        "5000",
        ("Rue de Fer", "Place d'Armes"),
        "Europe/Brussels",
        50.47,
        4.87,
        "EUR",
        "fr",
        21,
    ),
    Place(
        "FR",
        "FRA",
        "Besançon",
        "Doubs",
        "25000",
        ("Grande Rue", "Quai Vauban"),
        "Europe/Paris",
        47.24,
        6.02,
        "EUR",
        "fr",
        20,
    ),
    Place(
        "AT",
        "AUT",
        "Wels",
        "Oberösterreich",
        "4600",
        ("Ringstraße", "Stadtplatz"),
        "Europe/Vienna",
        48.16,
        14.03,
        "EUR",
        "de",
        20,
    ),
    Place(
        "NO",
        "NOR",
        "Tromsø",
        "Troms",
        "9008",
        ("Storgata", "Sjøgata"),
        "Europe/Oslo",
        69.65,
        18.96,
        "NOK",
        "no",
        25,
    ),
    Place(
        "SE",
        "SWE",
        "Umeå",
        "Västerbotten",
        "903 26",
        ("Kungsgatan", "Skolgatan"),
        "Europe/Stockholm",
        63.83,
        20.26,
        "SEK",
        "sv",
        25,
    ),
    Place(
        "ES",
        "ESP",
        "Logroño",
        "La Rioja",
        "26001",
        ("Calle Portales", "Gran Via"),
        "Europe/Madrid",
        42.47,
        -2.45,
        "EUR",
        "es",
        21,
    ),
    Place(
        "GB",
        "GBR",
        "Bath",
        "Somerset",
        "BA1 1SU",
        ("Milsom Street", "Walcot Street"),
        "Europe/London",
        51.38,
        -2.36,
        "GBP",
        "en",
        20,
    ),
    Place(
        "CA",
        "CAN",
        "Halifax",
        "Nova Scotia",
        "B3H 4R2",
        ("Barrington Street", "Spring Garden Road"),
        "America/Halifax",
        44.65,
        -63.57,
        "CAD",
        "en",
        14,
    ),
)
