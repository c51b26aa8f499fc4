"""Where platforms get their tokens and people let platforms act for them (OAuth 2, OpenID Connect)."""
