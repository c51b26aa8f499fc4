"""The interface (接口) for units' systems: JSON in, JSON out, problems as RFC 9457 says; a key, never a cookie."""
