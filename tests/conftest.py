"""Helpers in support/ say what differs, as the tests themselves do."""

import pytest

pytest.register_assert_rewrite("support")
