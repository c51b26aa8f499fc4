"""Addresses of administration."""

from django.urls import path

from xinzheng.web.administration import accounts, sessions

ONE = "administration/accounts/<int:account_id>"

urlpatterns = [
    path("administration/accounts", accounts.accounts, name="accounts"),
    path(f"{ONE}/close", accounts.close, name="account-close"),
    path(f"{ONE}/reopen", accounts.reopen, name="account-reopen"),
    path(f"{ONE}/role", accounts.role, name="account-role"),
    path(f"{ONE}/unlock", accounts.release, name="account-unlock"),
    path(f"{ONE}/second-factor", accounts.reset_factor, name="account-second-factor"),
    path(f"{ONE}/sign-out", accounts.sign_out_everywhere, name="account-sign-out"),
    path("administration/sessions", sessions.staff_sessions, name="staff-sessions"),
    path("administration/sessions/<int:session_id>/end", sessions.end_staff_session, name="staff-session-end"),
]
