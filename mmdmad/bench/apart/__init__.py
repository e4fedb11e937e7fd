"""What runs in another interpreter beside the suites: these files import nothing of mmdmad."""
