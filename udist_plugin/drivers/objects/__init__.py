"""What the drivers for object stores share: a tree of files made of flat keys."""
