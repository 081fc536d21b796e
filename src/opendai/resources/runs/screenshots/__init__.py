"""Screenshots: the picture is an object in the store, and a row describes it."""
