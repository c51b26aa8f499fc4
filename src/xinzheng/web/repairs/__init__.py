"""Repair (信用修复): guidance and what is handed over."""
