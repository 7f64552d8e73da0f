"""A table becomes windows of a series: in order of time, and evenly spaced.

Nothing here trains.
"""
