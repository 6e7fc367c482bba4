"""Files of the warehouse in any order, cut and repeated, with dying workers: one end, told once."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from syncworkers.canonical.kinds import Kind
from tests.integration.edi_running import (
    Harbor,
    advice,
    fate,
    group,
    harbor,
    letter,
    part,
    release,
    shipped,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    import pytest
    import sqlalchemy as sa
    from redis import Redis

    from syncworkers.servers import Servers
    from syncworkers.x12.segments import Segment

    Told = tuple[str, Sequence[Segment]]

NUMBERS = itertools.count(1)


@dataclass
class Expected:
    """An order, and what its documents come to."""

    order: dict[str, Any]
    reference: str
    units: int
    parcels: int
    whole: bool


def tell(random: Random, edi: Harbor, place: int) -> tuple[Expected, list[Told]]:
    """Bring an order there, and cut what leaves into shipments and these into documents."""
    order, reference, lines = release(edi)
    kept_back = random.random() < 0.5
    pieces: dict[str, list[tuple[int, str, int, int, str]]] = {}
    for number, sku, units in lines:
        leaving = units - 1 if kept_back and number == 1 else units
        first = random.randint(0, leaving)
        for shipment, count in (("A", first), ("B", leaving - first)):
            if count:
                status = "CC" if count == units else "BP"
                line = (number, status, units, count, sku)
                pieces.setdefault(f"{place}-{shipment}", []).append(line)
    documents = []
    for shipment, about in pieces.items():
        cut = random.randint(0, len(about) - 1)
        documents += [
            advice(reference, shipment, *some) for some in (about[:cut], about[cut:]) if some
        ]
    left = sum(units for _, _, units in lines) - kept_back
    return Expected(order, reference, left, len(documents), not kept_back), documents


def written(random: Random, documents: Sequence[Told], fates: Sequence[Told]) -> list[bytes]:
    """Write files that hold all of these, in any order, some twice."""
    told = [*documents, *random.choices(documents, k=2), *fates, *random.choices(fates, k=1)]
    random.shuffle(told)
    files = []
    while told:
        some = [told.pop() for _ in range(min(len(told), random.randint(1, 4)))]
        groups = [
            group(
                code, next(NUMBERS), *(one for one in some if (one[0] == "997") == (code == "FA"))
            )
            for code in ("SW", "FA")
        ]
        files.append(letter(next(NUMBERS), *(one for one in groups if one.sets)))
    files += [random.choice(files), random.choice(files) + b"\n"]
    random.shuffle(files)
    return files


def run(random: Random, edi: Harbor) -> None:
    expected, documents = [], []
    for _ in range(2):
        one, told = tell(random, edi, next(NUMBERS))
        expected.append(one)
        documents += told
    fates = [fate(int(one.envelope.control_number)) for one in edi.sent("940")[-2:]]
    for body in written(random, documents, fates):
        edi.put(f"in-{next(NUMBERS)}.edi", body)
        if random.random() < 0.5:
            edi.pick_up()
        if random.random() < 0.3:
            kind = random.choice([Kind.FILE, Kind.SHIPMENT])
            edi.world.die("process", at=random.randint(1, 3), kind=kind)
            edi.world.expire_leases()
    edi.hear()

    for one in expected:
        check(edi, one)
    assert (
        edi.world.ask("SELECT count(*) FROM edi_set WHERE state = 'waiting' AND code = '940'") == 0
    )
    assert edi.world.ask("SELECT count(*) FROM order_part WHERE acknowledged_at IS NULL") == 0
    assert edi.cases() == []


def check(edi: Harbor, one: Expected) -> None:
    """See that store and ERP know of each parcel once, and the part is as far as it should be."""
    assert part(edi, one.reference) == ("shipped" if one.whole else "accepted")
    assert shipped(edi, one.order) == one.units
    (there,) = [each for each in edi.world.sold() if str(each["id"]) == str(one.order["id"])]
    assert len(there["fulfillments"]) == one.parcels
    question = """
        SELECT d.idempotency_key, d.state FROM delivery d
          JOIN shipment s ON d.entity_kind = 'shipment' AND d.entity_id = s.id
          JOIN order_part p ON p.id = s.part_id
         WHERE d.operation = 'shipment.create' AND p.reference = :it"""
    owed = [tuple(each) for each in edi.world.rows(question.replace(":it", f"'{one.reference}'"))]
    assert Counter(state for _, state in owed) == {"confirmed": 2 * one.parcels}


def test_however_files_come_the_end_is_one_and_told_once(
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with harbor(running_servers, tmp_path, monkeypatch) as edi:

        @settings(
            max_examples=4,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(random=st.randoms(use_true_random=False))
        def any_order(random: Random) -> None:
            run(random, edi)

        any_order()
