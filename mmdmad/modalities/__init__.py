"""The modalities: one file each, with everything that differs between them; `base` holds the registry."""
