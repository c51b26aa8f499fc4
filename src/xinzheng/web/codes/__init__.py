"""Pages of share codes (亮码): showing, scanning, looking, taking back."""
