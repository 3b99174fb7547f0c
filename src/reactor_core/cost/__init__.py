"""What things cost: dated prices, in integer nano-dollars."""
