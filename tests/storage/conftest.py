import pytest

pytest.register_assert_rewrite("udist_plugin.testing.storage_driver")
