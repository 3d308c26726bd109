"""Lessons: their format, their checks, their exports."""
