"""Training, measuring and comparing expression networks: `python -m train`."""
