"""Partners that nobody here wrote: platforms made of the public library `extrawest_ocpi`."""
