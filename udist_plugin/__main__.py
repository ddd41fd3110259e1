"""``python -m udist_plugin`` is ``udist-plugin``."""

from udist_plugin.cli.plugin import main

main()
