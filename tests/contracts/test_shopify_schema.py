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
    GraphQLObjectType,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    build_client_schema,
    build_schema,
    parse,
    specified_rules,
    validate,
)

from syncworkers.connectors.shopify.shop import document
from tests.contracts.shared import folder

VERSIONS = ("2026-04", "2026-07", "2026-10")
DOCUMENTS = sorted(
    Path(str(one)).stem
    for one in (resources.files("syncworkers.connectors.shopify") / "documents").iterdir()
)
PINNED = "2026-07"


@cache
def schema(version: str) -> GraphQLSchema:
    found = folder("contracts/shopify") / f"admin_{version}.json.gz"
    with gzip.open(found) as packed:
        # Shopify's own schema breaks a rule of deprecation, hence not validated itself.
        return build_client_schema(json.load(packed)["data"], assume_valid=True)


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
        elif isinstance(ours, GraphQLObjectType):
            wrong += _foreign_fields(ours, theirs.type_map[name])

    assert wrong == []


def _foreign_fields(ours: GraphQLObjectType, theirs: Any) -> list[str]:
    wrong = []
    for name, field in ours.fields.items():
        real = theirs.fields.get(name)
        if real is None or str(real.type) != str(field.type):
            wrong.append(f"{ours.name}.{name}: {field.type} is {real and real.type}")
            continue
        for argument, value in field.args.items():
            if argument not in real.args or str(real.args[argument].type) != str(value.type):
                wrong.append(f"{ours.name}.{name}({argument})")
    return wrong
