"""docs/detectors.md and its taxonomy picture, written from the registry."""
