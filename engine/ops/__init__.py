"""The operations: forward and derivative of each, side by side, by family."""
