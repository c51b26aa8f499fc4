"""``python -m xinzheng.api.v1``: write ``openapi.json`` anew after a wanted change of the interface."""

import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xinzheng.config.settings")
    django.setup()
    from xinzheng.api.v1.openapi import KEPT, text

    KEPT.write_text(text(), encoding="utf-8")
