"""Sessions: who is running what, and the rebuilding of a lost namespace."""
