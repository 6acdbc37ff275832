"""The console: what operators see in a browser. Everything on it comes from the operator API, and goes there."""
