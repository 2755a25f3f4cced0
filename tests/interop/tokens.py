"""Access tokens for tests: JWT with HS256, by hand, so that the server's own minting is not what is tested."""

import base64
import hashlib
import hmac
import json
import time


def token(key: str, secret: str, room: str, identity: str, **video: object) -> str:
    """A token to join `room` as `identity`; keyword arguments are further video grants."""
    now = int(time.time())
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {
        "iss": key,
        "sub": identity,
        "name": identity,
        "nbf": now - 5,
        "exp": now + 3600,
        "video": {"roomJoin": True, "room": room, **video},
    }

    def pack(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = pack(header) + b"." + pack(claims)
    mac = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()
