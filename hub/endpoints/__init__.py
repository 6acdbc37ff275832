"""What partners call. Functional modules share one mount, configuration modules have handlers of their own."""
