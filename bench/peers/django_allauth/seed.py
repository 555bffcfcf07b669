"""Makes Django's tables and fills its own tables of people and of sessions."""

from itertools import islice

import peer  # noqa: F401 - it sets Django up
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection, transaction

from bench.session_check.seed_task import read_task, write_questions

BATCH = 10_000


def main():
    task = read_task()
    call_command("migrate", verbosity=0)
    people = (user_of(one, task) for one in task.population.list_people())
    signed = {}
    with transaction.atomic():
        while batch := list(islice(people, BATCH)):
            User.objects.bulk_create(batch)
            for user in batch:
                signed[user.pk] = session_data(user)
    fill_sessions(task, signed)
    write_questions(task, lambda session: f"sessionid={key(session)}")


def user_of(person, task):
    return User(
        id=person.number + 1,
        username=f"person{person.number}",
        email=person.email,
        first_name=person.name,
        password="!not-usable",  # noqa: S106 - it says that there is none
        date_joined=task.population.seeded_at,
    )


def session_data(user):
    values = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: "allauth.account.auth_backends.AuthenticationBackend",
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    return SessionStore().encode(values)


def key(session):
    return session.token[:40]


def fill_sessions(task, signed):
    expiry = task.population.expires_at.strftime("%Y-%m-%d %H:%M:%S")
    rows = (
        (key(one), signed[one.person.number + 1], expiry) for one in task.population.list_sessions()
    )
    with transaction.atomic():
        connection.connection.executemany("INSERT INTO django_session VALUES (?, ?, ?)", rows)


if __name__ == "__main__":
    main()
