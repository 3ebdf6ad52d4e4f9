"""Reading what a browser sent in a process of its own: bounded, and gone if it goes wrong."""
