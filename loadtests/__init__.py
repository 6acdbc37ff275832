"""Simulated partners, a demonstration, and measurements: what makes traffic for a hub."""
