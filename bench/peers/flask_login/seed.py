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
        rows = [
            {"id": one.number + 1, "email": one.email, "name": one.name, "active": True}
            for one in task.population.list_people()
        ]
        db.session.execute(db.insert(User), rows)
        db.session.commit()
    signer = app.session_interface.get_signing_serializer(app)

    def cookie(user_id):
        values = {"_user_id": str(user_id), "_fresh": True, "_id": client_id()}
        return f"session={signer.dumps(values)}"

    def refused(session):
        if session.number % 2:
            return cookie(task.population.people + 1 + session.number)
        return cookie(session.person.number + 1)[:-6] + "AAAAAA"

    write_questions(task, lambda session: cookie(session.person.number + 1), refused)


def client_id():
    """Give what Flask-Login keeps of the client: wrk's address, and no User-Agent."""
    return sha512(b"127.0.0.1|None").hexdigest()


if __name__ == "__main__":
    main()
