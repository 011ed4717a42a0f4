"""What runs in a lab stack's interpreter, which has none of the services' packages."""
