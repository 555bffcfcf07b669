"""Makes the people's table and the signed cookies.

No session has a row, so the refused ones are cookies of nobody and cookies with a wrong signature.
"""

from hashlib import sha512

from peer import User, app, db

from bench.session_check.seed_task import read_task, write_questions


def main():
    task = read_task()
    with app.app_context():
        db.create_all()
        db.session.execute(db.insert(User), [row(one) for one in task.population.list_people()])
        db.session.commit()
    signer = app.session_interface.get_signing_serializer(app)

    def cookie(uniquifier):
        values = {"_user_id": uniquifier, "_fresh": True, "_id": client_id()}
        return f"session={signer.dumps(values)}"

    def refused(session):
        if session.number % 2:
            return cookie(session.id)
        return cookie(session.person.id)[:-6] + "AAAAAA"

    write_questions(task, lambda session: cookie(session.person.id), refused)


def row(person):
    return {
        "id": person.number + 1,
        "email": person.email,
        "username": person.name,
        "active": True,
        "fs_uniquifier": person.id,
        "fs_webauthn_user_handle": person.id,
    }


def client_id():
    """Give what Flask-Login keeps of the client: wrk's address, and no User-Agent."""
    return sha512(b"127.0.0.1|None").hexdigest()


if __name__ == "__main__":
    main()
