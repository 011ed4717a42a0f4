"""What an engine runs beside the command: the workers it talks to, wherever those are."""
