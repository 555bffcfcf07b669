"""Makes the tables and fills those of people and of access tokens."""

from itertools import islice
from uuid import UUID

from peer import AccessToken, Base, User
from sqlalchemy import create_engine, insert

from bench.session_check.seed_task import read_task, write_questions

BATCH = 50_000


def main():
    task = read_task()
    engine = create_engine(f"sqlite:///{task.database}")
    Base.metadata.create_all(engine)
    sessions = (
        {
            "token": one.token,
            "user_id": UUID(one.person.id),
            "created_at": task.population.seeded_at,
        }
        for one in task.population.list_sessions()
    )
    with engine.begin() as connection:
        fill(connection, User, (person_row(one) for one in task.population.list_people()))
        fill(connection, AccessToken, sessions)
    write_questions(task, lambda session: f"fastapiusersauth={session.token}")


def person_row(person):
    return {
        "id": UUID(person.id),
        "email": person.email,
        "name": person.name,
        "hashed_password": "",
        "is_active": True,
        "is_superuser": False,
        "is_verified": True,
    }


def fill(connection, model, rows):
    while batch := list(islice(rows, BATCH)):
        connection.execute(insert(model), batch)


if __name__ == "__main__":
    main()
