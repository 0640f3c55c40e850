"""What holds surprising ends back until a person has looked."""
