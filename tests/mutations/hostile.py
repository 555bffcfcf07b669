"""Defects that hostile input finds."""

from tests.mutations.mutation import Mutation

_RELYING_PARTY = ("tests/unit/test_relying_party_fuzz.py",)
_CEREMONIES = ("tests/abuse/test_hostile_ceremonies.py",)
_REQUESTS = ("tests/abuse/test_hostile_requests.py",)
_BOUNDARIES = ("tests/abuse/test_message_boundaries.py",)
_OVERSIZED = ("tests/abuse/test_oversized.py",)
_DOCUMENT = ("tests/abuse/test_schemathesis.py",)

MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="bytes may follow the attestation object",
        file="app/relying_party/authenticator_data.py",
        old='    require(end == len(raw), "bytes follow the attestation object")\n',
        new="",
        caught_by=_CEREMONIES,
    ),
    Mutation(
        name="user verification is asked for at sign-in and not required",
        file="app/relying_party/library.py",
        old="credential_current_sign_count=0,\n        require_user_verification=True,\n",
        new="credential_current_sign_count=0,\n",
        caught_by=_CEREMONIES,
    ),
    Mutation(
        name="a key of small order is taken",
        file="app/relying_party/credential_key.py",
        old='    require(ed25519.is_sound(point), "EdDSA key is not a point of large order")\n',
        new="",
        caught_by=_CEREMONIES,
    ),
    Mutation(
        name="base64url has several spellings",
        file="app/relying_party/base64url.py",
        old="    if encode(value) != text:\n",
        new="    if not value and text:\n",
        caught_by=_CEREMONIES,
    ),
    Mutation(
        name="a spoilt key on record is a failure of the service",
        file="app/relying_party/library.py",
        old="FAILURES = (WebAuthnException, ValueError, KeyError, IndexError, TypeError)\n",
        new="FAILURES = (WebAuthnException, ValueError)\n",
        caught_by=_RELYING_PARTY,
    ),
    Mutation(
        name="deep JSON is taken for a failure of the service",
        file="app/blueprints/bodies.py",
        old="    except (ValueError, RecursionError) as error:\n",
        new="    except ValueError as error:\n",
        caught_by=_OVERSIZED,
    ),
    Mutation(
        name="of a query parameter that comes twice, the first counts",
        file="app/blueprints/bodies.py",
        old="    if twice:\n",
        new="    if len(twice) > len(given):\n",
        caught_by=_REQUESTS,
    ),
    Mutation(
        name="of two session cookies, the first counts",
        file="app/blueprints/cookies.py",
        old="    if len(values) > 1:\n",
        new="    if len(set(values)) > len(values):\n",
        caught_by=_REQUESTS,
    ),
    Mutation(
        name="a body has no limit",
        file="app/__init__.py",
        old="        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,\n",
        new="",
        caught_by=_OVERSIZED,
    ),
    Mutation(
        name="half a body is taken for the whole",
        file="app/blueprints/bodies.py",
        old="    if length is not None and len(data) < length:\n",
        new="    if length is None and len(data) > LARGEST_BODY_BYTES:\n",
        caught_by=_BOUNDARIES,
    ),
    Mutation(
        name="an operation answers a status that it does not declare",
        file="app/blueprints/auth/credentials.py",
        old="    answer=ChangedCredential,\n    refusals=(NotFound,),\n",
        new="    answer=ChangedCredential,\n",
        caught_by=_DOCUMENT,
    ),
)
