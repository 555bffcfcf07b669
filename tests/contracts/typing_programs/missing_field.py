"""A row without what its table asks for."""

from app.models import User

right = User(email=None, email_canonical=None, name="Ada", webauthn_id=b"handle")
no_name = User(email=None, email_canonical=None, webauthn_id=b"handle")  # expect: Missing named argument "name" for "User"
no_handle = User(email=None, email_canonical=None, name="Ada")  # expect: Missing named argument "webauthn_id" for "User"
