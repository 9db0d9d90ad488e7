"""moto's server, with the same arguments, and Sign and Verify of KMS as AWS documents them for ECDSA.

moto 5.2.5 ignores MessageType and hashes every message: a digest comes out hashed twice, so that no signature over it
verifies. Here a digest is signed as it is, it must have 32 bytes, and a raw message at most 4096. Everything else, the
keys, their export, aliases and the protocol, is moto's own.
"""

import sys
from contextvars import ContextVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.kms import responses, utils
from moto.kms.exceptions import ValidationException
from moto.server import main

MAX_RAW_BYTES = 4096
DIGEST_BYTES = 32

message_type: ContextVar[str] = ContextVar("message_type", default="RAW")


def honour_message_type(operation):
    original = getattr(responses.KmsResponse, operation)

    def wrapped(self):
        kind = self._get_param("MessageType") or "RAW"
        size = len(self._get_param("Message"))  # bytes: moto has decoded the base64 already
        if kind == "RAW" and size > MAX_RAW_BYTES:
            raise ValidationException("'message' must have length less than or equal to 4096")
        if kind == "DIGEST" and size != DIGEST_BYTES:
            raise ValidationException("Digest is invalid length for algorithm ECDSA_SHA_256.")
        message_type.set(kind)
        return original(self)

    setattr(responses.KmsResponse, operation, wrapped)


def scheme():
    return ec.ECDSA(Prehashed(hashes.SHA256()) if message_type.get() == "DIGEST" else hashes.SHA256())


def sign(self, message, signing_algorithm):
    utils.validate_signing_algorithm(signing_algorithm, self.valid_signing_algorithms)
    return self.private_key.sign(message, scheme())


def verify(self, message, signature, signing_algorithm):
    utils.validate_signing_algorithm(signing_algorithm, self.valid_signing_algorithms)
    try:
        self.private_key.public_key().verify(signature, message, scheme())
        return True
    except InvalidSignature:
        return False


honour_message_type("sign")
honour_message_type("verify")
# Only P-256 keys are used here, which is why SHA-256 may be taken for granted.
utils.ECDSAPrivateKey.sign = sign
utils.ECDSAPrivateKey.verify = verify

if __name__ == "__main__":
    main(sys.argv[1:])
