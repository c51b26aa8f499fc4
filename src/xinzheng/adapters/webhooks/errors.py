"""Why a call did not reach its webhook (回调失败), in words for its owner; nothing the other side said is in them."""

from xinzheng.core.errors import XinzhengError


class WebhookError(XinzhengError):
    """Base of what goes wrong with a webhook's address or a call to it."""

    code = "webhook-failed"


class AddressRefusedError(WebhookError):
    """The address is none that may be called."""

    code = "webhook-address-refused"


class NotReachedError(WebhookError):
    """Nobody answered there, not in time, or not in HTTP."""

    code = "webhook-not-reached"


class CertificateRefusedError(WebhookError):
    """Who answered could not prove to be the host that the address names."""

    code = "webhook-certificate-refused"
