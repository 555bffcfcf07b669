"""A value of another type than its column's."""

from app.models import Credential, User

right = User(email=None, email_canonical=None, name="Ada", webauthn_id=b"handle")
wrong = User(email=None, email_canonical=None, name="Ada", webauthn_id="handle")  # expect: Argument "webauthn_id" to "User" has incompatible type "str"
role = User(email=None, email_canonical=None, name="Ada", webauthn_id=b"handle", role="root")  # expect: Argument "role" to "User" has incompatible type "Literal['root']"


def rename(user: User, credential: Credential) -> None:
    user.name = "Ada"
    user.name = None  # expect: Incompatible types in assignment (expression has type "None"
    credential.sign_count = "1"  # expect: Incompatible types in assignment (expression has type "str"
