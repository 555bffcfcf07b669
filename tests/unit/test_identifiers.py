"""Row ids are UUIDs of version 7 (RFC 9562 section 5.7): they sort by when they were made."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import time_machine

from app.identifiers import new_id

MANY = 2000


def test_id_is_a_uuid_of_version_7_in_its_usual_text() -> None:
    for _ in range(50):
        uuid = UUID(text := new_id())
        assert (uuid.version, uuid.variant, str(uuid)) == (7, RFC_4122, text)


@time_machine.travel("2031-05-06T07:08:09.123Z", tick=False)
def test_id_begins_with_the_millisecond_in_which_it_was_made() -> None:
    milliseconds = UUID(new_id()).int >> 80

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert moment.isoformat(timespec="milliseconds") == "2031-05-06T07:08:09.123+00:00"


def test_ids_sort_as_text_by_when_they_were_made() -> None:
    with time_machine.travel("2031-01-01T00:00:00Z", tick=False) as time:
        ids = []
        for _ in range(50):
            ids.append(new_id())
            time.shift(timedelta(milliseconds=1))

    assert ids == sorted(ids)


@time_machine.travel("2031-01-01T00:00:00Z", tick=False)
def test_ids_of_one_millisecond_differ_in_every_random_bit() -> None:
    values = [UUID(new_id()).int for _ in range(MANY)]

    assert len(set(values)) == MANY
    ones, zeros = 0, 0
    for value in values:
        ones, zeros = ones | value, zeros | ~value
    varying = ones & zeros & ((1 << 128) - 1)
    random_bits = ((1 << 76) - (1 << 64)) | ((1 << 62) - 1)
    assert varying == random_bits
