"""The simulated Campaign Registry."""
