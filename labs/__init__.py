"""The labs. Each folder beside kit/ is a mechanism, each folder in it one lab; kit/ is what every lab shares."""
