"""The engine by itself: values in, values out."""
