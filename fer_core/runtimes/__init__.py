"""Ways to execute a network behind one protocol."""
