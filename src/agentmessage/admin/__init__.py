"""What the operator does to the platform from the command line: organizations, carriers, wallets, audit."""
