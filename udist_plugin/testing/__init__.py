"""What other projects import into their tests."""
