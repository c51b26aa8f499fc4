"""Addresses of signing in. The library asks for some of them by the names it gives them."""

from django.urls import path

from xinzheng.web.sign_in import again, entering, keys, passwords, platform_views, second_step, sessions

urlpatterns = [
    path("sign-in", entering.sign_in, name="sign-in"),
    path("sign-in", entering.sign_in, name="account_login"),
    path("sign-in", entering.sign_in, name="account_inactive"),
    path("sign-out", entering.sign_out, name="sign-out"),
    path("sign-in/second", second_step.second_step, name="mfa_authenticate"),
    path("sign-in/again", again.sign_in_again, name="account_reauthenticate"),
    path("sign-in/with/<str:provider_id>/login/", platform_views.begin, name="openid_connect_login"),
    path("sign-in/with/<str:provider_id>/login/callback/", platform_views.come_back, name="openid_connect_callback"),
    path("account/connections", platform_views.connections, name="socialaccount_connections"),
    path("account/connections/<int:link_id>/remove", platform_views.disconnect, name="account-disconnect"),
    path("account/password", passwords.password, name="account-password"),
    path("account/sessions", sessions.sessions, name="account-sessions"),
    path("account/sessions/end-all", sessions.end_all, name="account-sessions-end-all"),
    path("account/sessions/<int:session_id>/end", sessions.end, name="account-session-end"),
    path("account/keys", keys.keys, name="account-keys"),
    path("account/keys/app", keys.add_app, name="account-keys-app"),
    path("account/keys/security-key", keys.add_key, name="account-keys-security-key"),
    path("account/keys/recovery", keys.recovery, name="account-keys-recovery"),
    path("account/keys/<int:key_id>/remove", keys.remove, name="account-keys-remove"),
]
