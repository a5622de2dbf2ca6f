"""`python -m benchmarks.peers`: this project beside other packages, in turn, on the same frames."""
