"""Pages, API and their security: everything that speaks HTTP."""
