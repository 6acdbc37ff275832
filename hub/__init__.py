"""The hub: everything that touches the world."""
