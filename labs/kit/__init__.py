"""What every lab shares: reading claims, running trials, recording them, judging gaps."""
