"""What the simulated shop sells, and to whom. `config/booking.toml` maps these SKUs and methods."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Article:
    """One variant in the catalogue."""

    sku: str
    title: str
    price: Decimal
    gift_card: bool = False


ARTICLES = (
    Article("MUG-BLU-01", "Stoneware mug, blue", Decimal("12.50")),
    Article("MUG-GRN-01", "Stoneware mug, green", Decimal("12.50")),
    Article("KETTLE-08", "Kettle 0.8 l", Decimal("64.90")),
    Article("TEA-ASSAM-250", "Assam tea 250 g", Decimal("9.95")),
    Article("TEA-SENCHA-100", "Sencha 煎茶 100 g", Decimal("14.20")),
    Article("COFFEE-ETH-1K", "Coffee Yirgacheffe 1 kg", Decimal("27.80")),
    Article("GRINDER-X", "Hand grinder", Decimal("119.00")),
    Article("FILTER-100", "Paper filters, 100 pieces", Decimal("3.33")),
    Article("SCALE-2K", "Kitchen scale 2 kg", Decimal("34.99")),
    Article("TOWEL-SET-3", "Tea towels, set of 3", Decimal("18.75")),
    Article("SPOON-OLIVE", "Olive wood spoon", Decimal("7.05")),
    Article("TRAY-OAK-L", "Oak tray, large", Decimal("49.00")),
)
TEA_TIME = Article("TEA-TIME", "Two mugs and Assam tea", Decimal("29.90"))
"""A kit: no warehouse has it on its shelves."""
FILTER_CASE = Article("FILTER-CASE", "Paper filters, case of 12 boxes", Decimal("35.00"))
"""Sold by the case, kept by the box."""
GIFT_CARD = Article("", "Gift card", Decimal("25.00"), gift_card=True)

METHODS = (("Standard", Decimal("5.95")), ("Express", Decimal("14.90")))


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere people live: address, and the tax rate there."""

    street: str
    city: str
    province: str
    postal_code: str
    country: str
    rate: Decimal


PLACES = (
    Place("12 Main St", "Portland", "OR", "97201", "US", Decimal(0)),
    Place("480 Hennepin Ave", "Minneapolis", "MN", "55401", "US", Decimal("0.09025")),
    Place("1 Infinite Loop", "Cupertino", "CA", "95014", "US", Decimal("0.0938")),
    Place("77 O'Farrell St", "San Francisco", "CA", "94102", "US", Decimal("0.08625")),
    Place("3 Rue Saint-Denis", "Montréal", "QC", "H2X 3K4", "CA", Decimal("0.14975")),
    Place("99 Queen St W", "Toronto", "ON", "M5H 2M9", "CA", Decimal("0.13")),
    Place("Av. Juárez 20", "Ciudad de México", "CMX", "06010", "MX", Decimal("0.16")),
    Place("5th Ave & 34th St", "New York", "NY", "10118", "US", Decimal("0.08875")),
)
EU_PLACES = (
    Place("Torstraße 8", "Berlin", "BE", "10119", "DE", Decimal("0.19")),
    Place("Marienplatz 1", "München", "BY", "80331", "DE", Decimal("0.19")),
    Place("Stephansplatz 3", "Wien", "", "1010", "AT", Decimal("0.20")),
    Place("12 Rue de l'Église", "Lyon", "", "69002", "FR", Decimal("0.20")),
    Place("Prinsengracht 263", "Amsterdam", "", "1016 GV", "NL", Decimal("0.21")),
    Place("Marszałkowska 10", "Warszawa", "", "00-590", "PL", Decimal("0.23")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Where a shop sells: to whom, in which currency, and how often with taxes in its prices."""

    places: tuple[Place, ...]
    currency: str
    included: float


MARKETS = {
    "us": Market(places=PLACES, currency="USD", included=0.1),
    "eu": Market(places=EU_PLACES, currency="EUR", included=0.95),
}
PEOPLE = (
    ("Ada", "Lovelace"),
    ("Zoë", "Grünwald"),
    ("Miles", "O'Brien"),
    ("花子", "山田"),
    ("José", "Núñez"),
    ("Mary Ann", "St. Clair"),
    ("Łukasz", "Żak"),
    ("Nia", "Okafor"),
)
