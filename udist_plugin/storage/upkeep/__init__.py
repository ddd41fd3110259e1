"""What is looked after beside requests: abandoned uploads, and whether a store allows all it must."""
