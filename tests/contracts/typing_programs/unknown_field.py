"""A row with a value that its table has no column for."""

from app.models import User

right = User(email=None, email_canonical=None, name="Ada", webauthn_id=b"handle")
wrong = User(email=None, email_canonical=None, name="Ada", webauthn_id=b"handle", surname="Lovelace")  # expect: Unexpected keyword argument "surname" for "User"
by_position = User(None, None, "Ada", b"handle")  # expect: Too many positional arguments for "User"
