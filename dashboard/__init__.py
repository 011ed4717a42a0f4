"""The dashboard: draws what labs.kit judged. Judges nothing itself, and writes to no trial."""
