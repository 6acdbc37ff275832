"""What an operator deploys fits the hub as it is."""
