"""What methods that learn share: one training loop, checkpoints, networks, made-up data, splits."""
