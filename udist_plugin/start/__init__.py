"""What makes the start of a program quick."""
