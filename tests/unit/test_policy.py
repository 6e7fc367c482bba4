from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from syncworkers.policy.load import PolicyError, load_policy
from syncworkers.sandbox.shopify.catalogue import ARTICLES, FILTER_CASE, METHODS, PLACES, TEA_TIME
from syncworkers.supervisor.environment import NOWHERE, sandbox_environment
from syncworkers.supervisor.simulators import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
ENV = sandbox_environment(NOWHERE)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def mistakes(config: Path, environment: str = "production") -> str:
    with pytest.raises(PolicyError) as wrong:
        load_policy(config, environment, ENV)
    return str(wrong.value)


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
def test_the_shipped_configuration_is_right(environment: str) -> None:
    policy = load_policy(ROOT / "config", environment, ENV)

    assert set(policy.partners) == set(NAMES)
    assert policy.bookings["shopify-us"].accept_test_orders is (environment == "staging")


def test_the_tables_know_everything_the_simulated_shop_sells() -> None:
    booking = load_policy(ROOT / "config", "dev", ENV).bookings["shopify-us"]

    assert {one.sku for one in (*ARTICLES, TEA_TIME, FILTER_CASE)} == set(booking.items)
    assert {name for name, _ in METHODS} == set(booking.delivery_modes)
    assert {place.country for place in PLACES} == set(booking.warehouses)


def test_a_missing_secret_is_named_with_its_remedy() -> None:
    env = {name: value for name, value in ENV.items() if name != "SHOPIFY_US_CLIENT_SECRET"}

    with pytest.raises(PolicyError, match="set the environment variable SHOPIFY_US_CLIENT_SECRET"):
        load_policy(ROOT / "config", "production", env)


def test_a_misspelt_key_is_named_with_what_was_meant(config: Path) -> None:
    edit(config / "partners" / "d365-main.toml", lambda text: text.replace("slots =", "slotz ="))

    found = mistakes(config)

    assert "partners/d365-main.toml: lane.slotz" in found


def test_every_mistake_is_said_at_once(config: Path) -> None:
    edit(config / "sla.toml", lambda text: text.replace('"15m"', '"soon"'))
    edit(
        config / "booking.toml", lambda text: text.replace('erp = "d365-main"', 'erp = "d365-mian"')
    )

    found = mistakes(config)

    assert "sla.toml: erp_booked: must be seconds" in found
    assert "no partners/d365-mian.toml (did you mean d365-main?)" in found


def test_a_file_that_is_no_toml_is_named(config: Path) -> None:
    edit(config / "booking.toml", lambda _: "[[[")

    assert "booking.toml: not TOML" in mistakes(config)


def test_an_unknown_table_of_an_environment_is_named(config: Path) -> None:
    edit(config / "environments" / "production.toml", lambda _: "[partnrs.x]\ny = 1\n")

    assert "partnrs: unknown table (did you mean partners?)" in mistakes(config)


TWO_COMPANIES = """
[shopify-us.companies.demf]
order_prefix = "DE"
currencies = ["EUR"]
[shopify-us.companies.demf.items]
"MUG-BLU-01" = "D1000"
"""


def test_another_companys_table_says_what_differs(config: Path) -> None:
    edit(
        config / "booking.toml",
        lambda text: text.replace("[shopify-us.items]", f"{TWO_COMPANIES}[shopify-us.items]", 1),
    )

    own = load_policy(config, "production", ENV).bookings["shopify-us"]
    other = own.of("demf")

    assert own.of(None) is own is own.of("usmf")
    assert own.of("gbsi") is None
    assert other is not None
    assert (other.company, other.order_prefix, other.currencies) == ("demf", "DE", {"EUR"})
    assert other.items["MUG-BLU-01"] == "D1000"
    assert other.delivery_modes == own.delivery_modes


def test_a_company_that_ships_and_books_nothing_is_named(config: Path) -> None:
    edit(
        config / "fulfilment.toml",
        lambda text: text.replace('company = "usmf"', 'company = "gbsi"'),
    )

    assert "add [<store>.companies.gbsi] to booking.toml" in mistakes(config)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('nodes = ["shipbob-wets"]', "rule 1: nodes: there is no shipbob-wets (did you mean"),
        ('nodes = ["shipbob-west"]\nstores = ["shop"]', "rule 1: stores: there is no shop"),
        ('nodes = ["shipbob-west"]\nbrands = ["acne"]', "brands: there is no acne (did you mean"),
        ("nodes = []", "rules.0.nodes: Shorter than minimum length 1"),
        ('nodes = ["shipbob-west"]\nsku_classes = ["big"]', "there is no class big"),
        ('nodes = ["shipbob-west"]\npostcodes = ["9-1"]', "1 comes before 9"),
        ('nodes = ["shipbob-west"]\npostcodes = ["?"]', "must be the beginning of a postcode"),
        ('nodes = ["shipbob-west"]\nbefore = "14:00"', "must be a time and its zone"),
        ('nodes = ["shipbob-west"]\nbefore = "2 pm CET"', "must be a time and its zone"),
        ('nodes = ["shipbob-west"]\nnode_kinds = ["moon"]', "Must be one of: own, 3pl, vendor"),
    ],
)
def test_a_wrong_routing_rule_is_named(config: Path, written: str, said: str) -> None:
    (config / "routing.toml").write_text(f"[[rules]]\n{written}\n")

    assert said in mistakes(config)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('time_zone = "Moon/Sea"', "must be a time zone"),
        ('working_days = ["monday"]', "Must be one of: mon, tue"),
        ('holidays = ["25.12.2026"]', "must be a day, as 2026-12-25"),
        ('cut_offs = { default = "25:00" }', "must be a time of day, as 14:00"),
        ('transit_days = { default = "two" }', "Not a valid integer"),
        ('release = "later"', "Must be one of: at_once, working_time"),
    ],
)
def test_a_wrong_calendar_is_named(config: Path, written: str, said: str) -> None:
    table = {"time_zone": '"UTC"', "working_days": '["mon"]'}
    key, _, value = written.partition(" = ")
    lines = [f"{name} = {one}" for name, one in {**table, key: value}.items()]
    (config / "calendars.toml").write_text("[shipbob-west]\n" + "\n".join(lines))

    found = mistakes(config)

    assert "calendars.toml: [shipbob-west]" in found
    assert said in found


def test_a_calendar_of_no_warehouse_is_named(config: Path) -> None:
    (config / "calendars.toml").write_text(
        '[shipbob-wets]\ntime_zone = "UTC"\nworking_days = ["mon"]\n'
    )

    assert "there is no warehouse of that name (did you mean shipbob-west?)" in mistakes(config)
