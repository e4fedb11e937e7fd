"""What fits and judges cases: configuration, stages, part models, the joint detector."""
