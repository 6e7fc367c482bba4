"""Our GraphQL documents against Shopify's own schemas, and the simulator's as a true subset."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    build_schema,
    get_named_type,
    parse,
    specified_rules,
    validate,
    visit,
)

from syncworkers.connectors.shopify import looks, metafields, orders, tracking
from syncworkers.connectors.shopify.doctor import SCOPES
from syncworkers.connectors.shopify.shop import document
from syncworkers.sandbox.shopify.costs import requested_cost
from tests.contracts.shared import folder

VERSIONS = ("2026-04", "2026-07", "2026-10")
DOCUMENTS = sorted(
    Path(str(one)).stem
    for one in (resources.files("syncworkers.connectors.shopify") / "documents").iterdir()
)
PINNED = "2026-07"


@cache
def contract(version: str) -> dict[str, Any]:
    with gzip.open(folder("contracts/shopify") / f"admin_{version}.json.gz") as packed:
        found: dict[str, Any] = json.load(packed)
    return found


@cache
def schema(version: str) -> GraphQLSchema:
    # Shopify's own schema breaks a rule of deprecation, hence not validated itself.
    return build_client_schema(contract(version)["data"], assume_valid=True)


def simulated() -> GraphQLSchema:
    text = (resources.files("syncworkers.sandbox.shopify") / "schema.graphql").read_text("utf-8")
    return build_schema(text)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_in_every_version_and_uses_nothing_deprecated(
    name: str, version: str
) -> None:
    rules = [*specified_rules, NoDeprecatedCustomRule]

    assert validate(schema(version), parse(document(name)), rules) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_for_the_simulator(name: str) -> None:
    assert validate(simulated(), parse(document(name))) == []


def test_the_simulators_schema_is_a_true_subset_of_shopifys() -> None:
    theirs = schema(PINNED)
    wrong = []
    for name, ours in simulated().type_map.items():
        if name.startswith("__"):
            continue
        if name not in theirs.type_map:
            wrong.append(name)
        elif isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
            wrong += _foreign_fields(ours, theirs.type_map[name])
        elif isinstance(ours, GraphQLInputObjectType):
            wrong += _foreign_inputs(ours, theirs.type_map[name])
        elif isinstance(ours, GraphQLEnumType):
            wrong += _foreign_values(ours, theirs.type_map[name])

    assert wrong == []


def _foreign_fields(ours: GraphQLObjectType | GraphQLInterfaceType, theirs: Any) -> list[str]:
    wrong = []
    for name, field in ours.fields.items():
        real = theirs.fields.get(name)
        if real is None or str(real.type) != str(field.type) or real.deprecation_reason:
            wrong.append(f"{ours.name}.{name}: {field.type} is {real and real.type}")
            continue
        for argument, value in field.args.items():
            if argument not in real.args or str(real.args[argument].type) != str(value.type):
                wrong.append(f"{ours.name}.{name}({argument})")
    return wrong


def _foreign_inputs(ours: GraphQLInputObjectType, theirs: Any) -> list[str]:
    """A field that Shopify requires must be required here too."""
    wrong = [
        f"{ours.name}.{name}: {field.type}"
        for name, field in ours.fields.items()
        if name not in theirs.fields or str(theirs.fields[name].type) != str(field.type)
    ]
    required = {name for name, field in theirs.fields.items() if str(field.type).endswith("!")}
    return wrong + [f"{ours.name}.{name}" for name in sorted(required - set(ours.fields))]


def _foreign_values(ours: GraphQLEnumType, theirs: Any) -> list[str]:
    return [
        f"{ours.name}.{name}"
        for name in ours.values
        if name not in theirs.values or theirs.values[name].deprecation_reason
    ]


LARGEST: dict[str, dict[str, Any]] = {
    "fulfillment_lines": {"ids": ["x"] * looks.PARCELS_TOGETHER},
    "fulfillment_order_lines": {"ids": ["x"]},
    "fulfillment_orders": {"ids": ["x"] * looks.ORDERS_TOGETHER, "made": looks.PARCELS_FIRST},
    "fulfillment_tracking": {"ids": ["x"] * tracking.TOGETHER},
    "order_lines": {"id": "x"},
    "order_metafield": {"ids": ["x"] * metafields.OWNERS_TOGETHER},
    "orders_by_id": {"ids": ["x"] * orders.TOGETHER},
    "orders_changed": {"first": orders.PAGE},
}
"""The most that is asked for at once, by document."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_request_of_ours_costs_more_than_shopify_takes_at_once(name: str) -> None:
    assert requested_cost(parse(document(name)), LARGEST.get(name, {})) <= 1000


def test_an_order_with_all_its_fulfilments_is_read_by_one_query() -> None:
    most = {"ids": ["x"], "made": looks.PARCELS_ALL}

    assert requested_cost(parse(document("fulfillment_orders")), most) <= 1000


def test_a_mutation_costs_ten_points() -> None:
    changes = [name for name in DOCUMENTS if "mutation " in document(name)]

    assert [requested_cost(parse(document(name)), {}) for name in changes] == [10, 10, 10, 10]


class _Needs(Visitor):
    """Collects what a document needs: for each place the scopes of which one is enough."""

    def __init__(
        self, info: TypeInfo, scopes: dict[tuple[str, str | None], frozenset[str]]
    ) -> None:
        super().__init__()
        self._info = info
        self._scopes = scopes
        self.found: dict[str, frozenset[str]] = {}

    def enter_field(self, node: Any, *_: Any) -> None:
        parent, kind = self._info.get_parent_type(), self._info.get_type()
        assert parent is not None
        assert kind is not None
        name = node.name.value
        for place in ((parent.name, name), (get_named_type(kind).name, None)):
            if needed := self._scopes.get(place):
                self.found[f"{parent.name}.{name}"] = needed


def needs(version: str) -> list[frozenset[str]]:
    scopes = {
        (one["typeName"], one.get("fieldName")): frozenset(one["offlineScopes"])
        for one in contract(version)["offline_scopes"]["items"]
        if one["offlineScopes"]
    }
    found: dict[str, frozenset[str]] = {}
    for name in DOCUMENTS:
        info = TypeInfo(schema(version))
        visitor = _Needs(info, scopes)
        visit(parse(document(name)), TypeInfoVisitor(info, visitor))
        found |= visitor.found
    return list(found.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_scopes_we_ask_for_are_those_our_documents_need(version: str) -> None:
    needed = needs(version)

    assert [sorted(one) for one in needed if not one & SCOPES] == []
    # Metafields are written with the scope of their owner; the contract does not list that.
    assert all(
        any(not one & (SCOPES - {scope}) for one in needed) for scope in SCOPES - {"write_orders"}
    )
