"""What an engine runs inside a stack: one worker, the process it forks trials from, and the trials."""
