"""Records of telephone systems as a source."""
