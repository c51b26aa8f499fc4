"""Django settings. What differs between installations comes from the environment (``XINZHENG_*``)."""

import os
from importlib.util import find_spec
from pathlib import Path

from csp.constants import NONE, SELF

from xinzheng.config import environment
from xinzheng.config.logging import logging_settings

WEB = Path(__file__).resolve().parent.parent / "web"

# --- this installation -----------------------------------------------------------------------------------------------
XINZHENG_HOME = environment.home()
XINZHENG_KEYS = Path(os.environ.get("XINZHENG_KEYS") or XINZHENG_HOME / "keys")
XINZHENG_HOST = os.environ.get("XINZHENG_HOST", "127.0.0.1:8000")
XINZHENG_HTTPS = environment.flag(
    "XINZHENG_HTTPS", default=environment.host_name(XINZHENG_HOST) not in environment.LOOPBACK
)
XINZHENG_ORIGIN = f"{'https' if XINZHENG_HTTPS else 'http'}://{XINZHENG_HOST}"
XINZHENG_DEMONSTRATION = environment.flag("XINZHENG_DEMONSTRATION", default=True)
XINZHENG_BATCH_MAX_BYTES = environment.mebibytes("XINZHENG_BATCH_MAX_MIB", default=256)
XINZHENG_PDF_MAX_BYTES = environment.mebibytes("XINZHENG_PDF_MAX_MIB", default=20)
XINZHENG_PICTURE_MAX_BYTES = 10 * 1024 * 1024
# Files verified in one request, all together; and how many from one address in a minute, in each process.
XINZHENG_VERIFY_FILES_MAX_BYTES = environment.mebibytes("XINZHENG_VERIFY_FILES_MAX_MIB", default=200)
XINZHENG_VERIFY_FILES_PER_MINUTE = environment.whole_number("XINZHENG_VERIFY_FILES_PER_MINUTE", default=200)
# How often one address may verify in a minute, in each process of the web site.
XINZHENG_VERIFY_PER_MINUTE = environment.whole_number("XINZHENG_VERIFY_PER_MINUTE", default=30)
XINZHENG_FLOORS = environment.floors()
# Who stamps signatures with the time (RFC 3161): the demonstration's own authority, an https address, or nobody.
XINZHENG_TSA = os.environ.get("XINZHENG_TSA", "demo" if XINZHENG_DEMONSTRATION else "")
# A file naming the module, token, keys and the file with the PIN of a hardware key store (PKCS #11); none: PKCS #12.
XINZHENG_PKCS11 = os.environ.get("XINZHENG_PKCS11", "")
# A folder with further faces for rare characters.
XINZHENG_FONTS = os.environ.get("XINZHENG_FONTS", "")
# The name the transparency log signs under.
XINZHENG_LOG_ORIGIN = os.environ.get("XINZHENG_LOG_ORIGIN") or f"{XINZHENG_HOST}/log"

# --- what the command line calls before a command that needs the database ---------------------------------------------
XINZHENG_PREPARE = "xinzheng.config.readiness.ensure_ready"

# --- adapters, by dotted path ----------------------------------------------------------------------------------------
XINZHENG_TABULAR = "xinzheng.adapters.tabular.read_batch"
XINZHENG_TABLE = "xinzheng.adapters.tabular.read_table"
XINZHENG_RENDERER = "xinzheng.adapters.pdf"
XINZHENG_SIGNING = "xinzheng.adapters.signing"
XINZHENG_PICTURES = "xinzheng.adapters.qr.examiner"
XINZHENG_TRANSPARENCY = "xinzheng.adapters.transparency"
XINZHENG_POLICY_FILES = "xinzheng.adapters.policy_files"
XINZHENG_DEPLOYMENT_FILES = "xinzheng.adapters.deployment_files"
XINZHENG_CALENDAR = "xinzheng.adapters.calendar"
# A file of working days (CSV) of years that the calendar does not know yet.
XINZHENG_CALENDAR_YEARS = environment.calendar_years(os.environ.get("XINZHENG_CALENDAR_YEARS", ""))
XINZHENG_BULLETIN = "xinzheng.adapters.pdf.bulletin"
XINZHENG_WORKBOOK_OUT = "xinzheng.adapters.workbook_out"
XINZHENG_WEBHOOKS = "xinzheng.adapters.webhooks"
XINZHENG_EVIDENCE = "xinzheng.adapters.evidence"
XINZHENG_SCREENING_ENGINES = "xinzheng.adapters.screening"
XINZHENG_SERVER = "xinzheng.adapters.postgres_embedded"
XINZHENG_REPAIR_RULES = "xinzheng.adapters.policy_files.repair_rules"
XINZHENG_REDRESS_TERMS = "xinzheng.adapters.policy_files.redress_terms"
# Who tells redress, and which packs are in force, what time it is.
XINZHENG_CLOCK = "django.utils.timezone.now"

# --- Django ----------------------------------------------------------------------------------------------------------
DEBUG = environment.flag("XINZHENG_DEBUG", default=False)
SECRET_KEY = environment.secret_key()
ALLOWED_HOSTS = sorted(
    {environment.host_name(XINZHENG_HOST), *environment.LOOPBACK}
    | set(filter(None, os.environ.get("XINZHENG_ALLOWED_HOSTS", "").split(",")))
)
ROOT_URLCONF = "xinzheng.config.urls"
WSGI_APPLICATION = "xinzheng.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _present(*packages: str) -> list[str]:
    """Those packages that have an ``apps`` module."""
    return [package for package in packages if find_spec(f"{package}.apps") is not None]


INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.idp.oidc",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "pgtrigger",
    "procrastinate.contrib.django",
    "xinzheng.apps.audit",
    "xinzheng.apps.accounts",
    "xinzheng.apps.registry",
    "xinzheng.apps.ledger",
    "xinzheng.apps.reports",
    "xinzheng.apps.codes",
    "xinzheng.apps.redress",
    "xinzheng.apps.oversight",
    *_present("xinzheng.web"),
]

MIDDLEWARE = [
    "xinzheng.web.addresses.ClientAddress",
    "xinzheng.web.observing.requests.RequestNotes",
    "django.middleware.security.SecurityMiddleware",
    "xinzheng.web.addresses.BrowserRules",
    "xinzheng.api.answers.InterfaceAnswers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "xinzheng.web.sign_in.guard.SignInGuard",
    "xinzheng.web.audit.refused.RefusedAttempts",
    "xinzheng.web.possible.PossibleThings",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [WEB / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": environment.database()}
# Whether the server is our own, which we start, back up and know the standby servers of.
XINZHENG_EMBEDDED = environment.database_is_embedded()

# --- who is there ----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Account"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = ["xinzheng.web.sign_in.backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "xinzheng.apps.accounts.passwords.ThreeClasses"},
    {"NAME": "xinzheng.apps.accounts.passwords.NotTheName"},
    {"NAME": "xinzheng.apps.accounts.passwords.NotOfTheLast"},
]

# A file that names the identity platforms (OpenID Connect) people may sign in with.
XINZHENG_OIDC = os.environ.get("XINZHENG_OIDC", "")
XINZHENG_PLATFORMS = environment.identity_platforms(XINZHENG_OIDC)
# The second factor of staff: required, webauthn (no one-time codes) or, in a demonstration only, off.
XINZHENG_SECOND_FACTOR = environment.choice(
    "XINZHENG_SECOND_FACTOR",
    ("required", "webauthn", "off") if XINZHENG_DEMONSTRATION else ("required", "webauthn"),
)
XINZHENG_IDLE_MINUTES = environment.whole_number("XINZHENG_IDLE_MINUTES", default=30)
XINZHENG_LOCK_AFTER = environment.whole_number("XINZHENG_LOCK_AFTER", default=5)
XINZHENG_LOCK_MINUTES = environment.whole_number("XINZHENG_LOCK_MINUTES", default=30)
XINZHENG_PASSWORD_DAYS = environment.whole_number("XINZHENG_PASSWORD_DAYS", default=90)
ACCOUNT_ADAPTER = "xinzheng.web.sign_in.accounts.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
SOCIALACCOUNT_ADAPTER = "xinzheng.web.sign_in.platforms.Adapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
MFA_ADAPTER = "xinzheng.web.sign_in.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = environment.host_name(XINZHENG_HOST) in environment.LOOPBACK
USERSESSIONS_TRACK_ACTIVITY = False
# Platforms (OAuth 2): tokens that say nothing by themselves, kept as digests; only clients that keep a secret.
IDP_OIDC_ADAPTER = "xinzheng.web.platforms.adapter.Adapter"
IDP_OIDC_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]
IDP_OIDC_ACCESS_TOKEN_FORMAT = "opaque"  # noqa: S105 — how tokens are made, not one of them
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 60 * 60
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = 90 * 24 * 60 * 60
IDP_OIDC_AUTHORIZATION_CODE_EXPIRES_IN = 60
IDP_OIDC_ROTATE_REFRESH_TOKEN = True
IDP_OIDC_DCR_ENABLED = IDP_OIDC_CIMD_ENABLED = IDP_OIDC_INTROSPECTION_ENABLED = False
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "xinzheng.apps.accounts.platform_secrets.RandomSecretHasher",
]

# --- who may see what, and how long it is kept ------------------------------------------------------------------------
# How many proxies of ours stand before the site: the address they name is believed, no other.
XINZHENG_PROXIES = environment.whole_number("XINZHENG_PROXIES", default=0, least=0)
# A file of networks and the places they are in (CSV), for the list of looks.
XINZHENG_PLACES = os.environ.get("XINZHENG_PLACES", "")
# How many applications a subject may make in a day, by policy: "suzhou-2024=10,huzhou-2023=10".
XINZHENG_DAILY_LIMITS = environment.numbers_by_name("XINZHENG_DAILY_LIMITS")
XINZHENG_SHARE_SECONDS = environment.whole_number("XINZHENG_SHARE_SECONDS", default=60)
XINZHENG_SHARE_MAX_DAYS = environment.whole_number("XINZHENG_SHARE_MAX_DAYS", default=30)
XINZHENG_VIEW_MINUTES = environment.whole_number("XINZHENG_VIEW_MINUTES", default=15)
XINZHENG_KEEP_VIEW_DAYS = environment.whole_number("XINZHENG_KEEP_VIEW_DAYS", default=365)
XINZHENG_KEEP_LETTER_DAYS = environment.whole_number("XINZHENG_KEEP_LETTER_DAYS", default=30)
XINZHENG_KEEP_SESSION_DAYS = environment.whole_number("XINZHENG_KEEP_SESSION_DAYS", default=30)
XINZHENG_KEEP_CHECK_DAYS = environment.whole_number("XINZHENG_KEEP_CHECK_DAYS", default=7)
# A file of reports that a receiver has verified.
XINZHENG_CHECK_FILE_MAX_BYTES = environment.mebibytes("XINZHENG_CHECK_FILE_MAX_MIB", default=10)

# --- webhooks: certificates (PEM) trusted beside the machine's; whether they may lead to this machine -----------------
XINZHENG_WEBHOOKS_ROOTS = os.environ.get("XINZHENG_WEBHOOKS_ROOTS", "")
XINZHENG_WEBHOOKS_LOOPBACK = environment.demonstration_flag(
    "XINZHENG_WEBHOOKS_LOOPBACK", is_demonstration=XINZHENG_DEMONSTRATION
)

# --- redress: evidence, and how long what people wrote is kept --------------------------------------------------------
XINZHENG_EVIDENCE_MAX_BYTES = environment.mebibytes("XINZHENG_EVIDENCE_MAX_MIB", default=10)
# All files of one objection or repair together.
XINZHENG_EVIDENCE_TOGETHER_BYTES = 4 * XINZHENG_EVIDENCE_MAX_BYTES
XINZHENG_KEEP_EVIDENCE_DAYS = environment.whole_number("XINZHENG_KEEP_EVIDENCE_DAYS", default=1095)
XINZHENG_KEEP_SUGGESTION_DAYS = environment.whole_number("XINZHENG_KEEP_SUGGESTION_DAYS", default=365)

# --- screening of lists: DuckDB in this machine, or a Spark cluster -------------------------------------------------
XINZHENG_SCREENING = environment.choice("XINZHENG_SCREENING", ("duckdb", "spark"))
XINZHENG_SCREENING_THREADS = environment.whole_number("XINZHENG_SCREENING_THREADS", default=2)
XINZHENG_SCREENING_MAX_BYTES = environment.mebibytes("XINZHENG_SCREENING_MEMORY_MIB", default=3072)
XINZHENG_SCREENING_LIST_MAX_BYTES = environment.mebibytes("XINZHENG_SCREENING_LIST_MAX_MIB", default=64)
XINZHENG_KEEP_SCREENING_DAYS = environment.whole_number("XINZHENG_KEEP_SCREENING_DAYS", default=90)
# The cluster's address, e.g. spark://10.0.0.5:7077, and a folder that all its machines reach.
XINZHENG_SPARK_MASTER = os.environ.get("XINZHENG_SPARK_MASTER", "local[2]")
XINZHENG_SPARK_FOLDER = os.environ.get("XINZHENG_SPARK_FOLDER", "")

# --- operations: backups (no folder, no backups), standby servers, who may read the metrics -------------------------
XINZHENG_BACKUP = os.environ.get("XINZHENG_BACKUP", "")
XINZHENG_BACKUP_KEEP = environment.whole_number("XINZHENG_BACKUP_KEEP", default=7)
XINZHENG_REPLICAS = tuple(filter(None, os.environ.get("XINZHENG_REPLICAS", "").split(",")))
# Whether this site only answers questions, from a standby server: it verifies and shows, and writes nothing.
XINZHENG_READ_ONLY = environment.flag("XINZHENG_READ_ONLY", default=False)
XINZHENG_METRICS_FROM = environment.networks("XINZHENG_METRICS_FROM", default="127.0.0.1,::1")
# For how long a web process shows the announcements it knows before it asks for new ones.
XINZHENG_ANNOUNCED_SECONDS = environment.whole_number("XINZHENG_ANNOUNCED_SECONDS", default=15, least=0)
# Hours assumed for a certificate, when the deployment has its own figures.
XINZHENG_SAVING = environment.saving_file(os.environ.get("XINZHENG_SAVING", ""))
# Under what licence the public figures may be used.
XINZHENG_DATA_LICENCE = os.environ.get("XINZHENG_DATA_LICENCE") or "CC BY 4.0"

# --- mail: no host, no mail ------------------------------------------------------------------------------------------
XINZHENG_MAIL = environment.mail()
EMAIL_HOST, EMAIL_PORT = XINZHENG_MAIL.host, XINZHENG_MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = XINZHENG_MAIL.user, XINZHENG_MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = XINZHENG_MAIL.tls == "starttls", XINZHENG_MAIL.tls == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = XINZHENG_MAIL.sender

# --- caches: what all processes have to agree on stands in the database, limits of rate in each process ---------------
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_sharedcache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # Limits are counted here: a count that is dropped to make room is a limit passed.
    "local": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# --- static files: served from the package itself, nothing has to be collected ---------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [WEB / "static"] if (WEB / "static").is_dir() else []
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "xinzheng.web.own_files.OwnFiles"},
}

# --- uploads ---------------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 100

# --- browser security ------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# With this prefix a browser takes a cookie from this very host only, over HTTPS.
COOKIE_PREFIX = "__Host-" if XINZHENG_HTTPS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
SESSION_COOKIE_SECURE = XINZHENG_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 60 * 60
CSRF_COOKIE_SECURE = XINZHENG_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [XINZHENG_ORIGIN]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if XINZHENG_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if XINZHENG_HTTPS else None
X_FRAME_OPTIONS = "DENY"

# --- tasks -----------------------------------------------------------------------------------------------------------
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"

LOGGING = logging_settings(os.environ.get("XINZHENG_LOG_LEVEL", "INFO").upper())
