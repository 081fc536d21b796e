import pytest

# A failed assertion of a factory shows its values, as that of a test does.
pytest.register_assert_rewrite("tests.arranging")
