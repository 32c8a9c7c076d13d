"""What past periods tell about a card: what another one would have changed, and which items say something."""
