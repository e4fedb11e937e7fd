"""What detectors are built from: chunks, features, networks over tokens, grids and sequences."""
