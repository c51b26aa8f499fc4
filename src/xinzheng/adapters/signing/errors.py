"""What can go wrong with keys and time stamps (签名故障): all of it may pass, so no report is given up for it."""

from xinzheng.core.errors import XinzhengError


class SigningUnavailableError(XinzhengError):
    """Nothing can be signed now: the key store is gone, a key file is not mounted, the key was reported stolen."""

    code = "signing-unavailable"


class KeyFileError(SigningUnavailableError):
    """A key or certificate that is missing or cannot be opened."""

    code = "signing-key-unusable"


class StampUnavailableError(XinzhengError):
    """No time stamp (时间戳) is to be had now: the authority is gone, slow, or answered something else."""

    code = "stamp-unavailable"
