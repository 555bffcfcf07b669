"""Points of Edwards25519 (RFC 8032 §5.1), as far as a public key needs looking at.

Cryptographic libraries load any 32 bytes as a key. Under a key of small order one constant
signature fits many messages, so that anybody could sign in with it.
"""

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SIGN = 1 << 255

IDENTITY = (0, 1)
DOUBLINGS_TO_IDENTITY = 3
"""The curve's cofactor is 8."""


def is_sound(encoded: bytes) -> bool:
    """Tell whether 32 bytes encode a point of the curve whose order is not small."""
    y = int.from_bytes(encoded, "little") % SIGN
    if y >= P:
        return False
    x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    if pow(x_squared, (P - 1) // 2, P) == P - 1:
        return False
    for _ in range(DOUBLINGS_TO_IDENTITY):
        x_squared, y = _double(x_squared, y)
    return (x_squared, y) != IDENTITY


def _double(x_squared: int, y: int) -> tuple[int, int]:
    """Add a point to itself, without needing the sign of x."""
    product = D * x_squared * y * y
    doubled_x_squared = 4 * x_squared * y * y * pow(1 + product, -2, P) % P
    return doubled_x_squared, (y * y + x_squared) * pow(1 - product, -1, P) % P
