"""What an operator deploys. Only what is made by a program is a package; nothing of the hub needs it."""
