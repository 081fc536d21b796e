"""Two sample models for `opendai demo`."""
