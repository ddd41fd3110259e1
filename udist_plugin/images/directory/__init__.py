"""One image in a folder, as skopeo's transport ``dir:`` has it: a file for each blob, named by its digest."""
