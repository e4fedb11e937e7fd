"""A modality of another distribution: sound. Its own file, its reader and its encoder, nothing else."""
