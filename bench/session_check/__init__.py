"""What one session check costs here and elsewhere: ``make bench`` runs it."""
