"""What a platform asks a person's consent for (授权请求): read strictly, before anybody is shown anything."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from allauth.idp.oidc.internal.oauthlib.server import get_server
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.http import HttpResponseRedirect, QueryDict
from oauthlib.oauth2.rfc6749.errors import FatalClientError, OAuth2Error  # type: ignore[import-untyped]

from xinzheng.apps.accounts.models import Platform
from xinzheng.apps.accounts.platforms import ON_BEHALF, OPENID
from xinzheng.core.errors import XinzhengError

ADDRESS = "/identity/o/authorize"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# What others use to say the same in another way, or to pass over the consent.
UNUSED = ("request", "request_uri", "claims", "resource", "id_token_hint", "registration")
UNKNOWN = "这个平台没有在本站登记，或者已经停用。请回到平台，向其客服反映。"
ELSEWHERE = "平台要求的回跳地址没有登记，为防止授权被冒用，没有继续。请回到平台，向其客服反映。"
UNREADABLE = "平台发来的请求不完整。请回到平台重新开始；多次出现的，请向其客服反映。"


class UnreadableRequestError(XinzhengError):
    """Nobody can be sent back: the person is told here."""

    code = "consent-request-unreadable"


class SentBackError(XinzhengError):
    """The platform is told, at the address it registered, with an error of OAuth."""

    code = "consent-request-unfit"

    def __init__(self, asked: QueryDict, error: str, message: str) -> None:
        super().__init__(message)
        self.response = back(asked, error=error, error_description=message)


@dataclass(frozen=True)
class Asked:
    """A request that may be put to a person: by which platform, for what, and as the library reads it."""

    platform: Platform
    client: Client
    said: QueryDict
    scopes: tuple[str, ...]

    @property
    def uri(self) -> str:
        """The request, written so that the library reads each part once."""
        return f"{ADDRESS}?{self.said.urlencode()}"

    @property
    def origin(self) -> str:
        """Where the person is sent back to: scheme, host and port."""
        parts = urlsplit(self.said.get("redirect_uri", ""))
        return f"{parts.scheme}://{parts.netloc}"


def read_request(said: QueryDict) -> Asked:
    """The request, when every part of it is fit.

    Raises:
        UnreadableRequestError: the platform or its address is unknown, or a part is there twice.
        SentBackError: all else.
    """
    if any(len(values) > 1 for _, values in said.lists()):
        raise UnreadableRequestError(UNREADABLE)
    platform = Platform.objects.filter(pk=said.get("client_id", ""), revoked_at__isnull=True).first()
    if platform is None:
        raise UnreadableRequestError(UNKNOWN)
    client = Client.objects.get(pk=platform.pk)
    # Word for word: the library would let other ports, users and further parameters pass.
    if said.get("redirect_uri", "") not in client.get_redirect_uris():
        raise UnreadableRequestError(ELSEWHERE)
    asked = Asked(platform, client, said, tuple(dict.fromkeys(said.get("scope", "").split())))
    _check(asked)
    return asked


def back(said: QueryDict, **answer: str) -> HttpResponseRedirect:
    """Send the person back to the platform with an answer."""
    address, state = said.get("redirect_uri", ""), said.get("state", "")
    more = answer | ({"state": state} if state else {}) | {"iss": settings.XINZHENG_ORIGIN}
    return HttpResponseRedirect(f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(more)}")


def _check(asked: Asked) -> None:
    said = asked.said
    if any(name in said for name in UNUSED) or said.get("response_mode", "query") != "query":
        raise SentBackError(said, "invalid_request", "请求含有本站不用的参数。")
    if "none" in said.get("prompt", "").split():
        raise SentBackError(said, "interaction_required", "须由本人当面同意。")
    if said.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(said.get("code_challenge", "")):
        raise SentBackError(
            said, "invalid_request", "须用 PKCE：code_challenge_method 为 S256，code_challenge 为43个字符。"
        )
    if not set(asked.scopes) & set(ON_BEHALF) or not set(asked.scopes) <= {*ON_BEHALF, OPENID}:
        raise SentBackError(said, "invalid_scope", f"可以请本人同意的权限有：{' '.join(ON_BEHALF)}。")
    try:
        get_server().validate_authorization_request(asked.uri, "GET", "", {})
    except FatalClientError as error:
        raise UnreadableRequestError(UNREADABLE) from error
    except OAuth2Error as error:
        raise SentBackError(said, str(error.error), str(error.description or "")) from error
