"""What partners call. Functional modules share one app, configuration modules have handlers of their own."""
