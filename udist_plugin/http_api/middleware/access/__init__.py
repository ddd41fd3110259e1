"""Access control: who asks, and whether they may."""
